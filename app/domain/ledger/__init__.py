"""The record under everything: canonical JSON, Merkle tree, signed heads. Pure functions."""
