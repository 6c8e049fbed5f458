"""The procedure itself, readable by an auditor: pure functions, no Flask, no SQL, no clock."""
