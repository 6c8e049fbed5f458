"""Schemes, rounds, subjects (counties), materials and figures, qualification."""
