"""Score forms as data: schema, expressions, scales, instruments, sheets, formulas, vetoes, lint."""
