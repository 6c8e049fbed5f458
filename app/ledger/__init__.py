"""The append-only record under every room: append, read, prove. Knows no table of theirs."""
