"""Runs: scores with their arithmetic, agreement, flags, ranking."""
