"""Alembic's entry: runs the migrations on the connection that database.py gives it."""

from alembic import context

from host_tools.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
