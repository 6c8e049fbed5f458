"""Who signs in: accounts, roles, sessions, invitations."""
