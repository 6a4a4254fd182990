"""Run by Alembic whenever it works on the schema: the connection comes from `migrations.configuration`."""

from alembic import context

from lotus_server.adapters.records_sql.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
