"""The field application, server side (docs/sync-protocol.md): tablets, packages, operations, media."""
