"""Reads everything and proves it: the ledger, the invariants. Writes nothing of its own."""
