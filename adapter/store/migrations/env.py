"""Alembic's entry: runs the revisions on the connection, and in the transaction, of `adapter.store.migrate`."""

from alembic import context

from adapter.store.migrate import VERSION_TABLE
from adapter.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
