"""Panels at work: sittings, sign-in, declarations, statements, challenges."""
