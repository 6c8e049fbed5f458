"""Alembic environment: the connection is handed in by `app.migrate`; there is no ini file."""

from alembic import context

import app.models  # noqa: F401
from app.db import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
