"""Each role's first page: what waits for you now."""
