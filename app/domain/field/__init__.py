"""The field protocol's rules (docs/sync-protocol.md): operations, their chain, and what they amount to."""
