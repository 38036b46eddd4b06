"""Run by alembic: migrates over the connection, and inside the transaction, that ``store.migrate`` opened."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
