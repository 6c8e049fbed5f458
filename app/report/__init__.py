"""The rating report (评审报告): drafting, signatures, the printed paper."""
