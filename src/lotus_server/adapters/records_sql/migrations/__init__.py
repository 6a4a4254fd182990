"""How a database gets from one release's schema to the next."""

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

# Alembic keeps what it works on in variables of its module.
_one_at_a_time: Final = threading.Lock()


def upgrade(connection: Connection) -> None:
    """The schema is the newest, within the connection's transaction."""
    with _one_at_a_time:
        command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for these migrations and a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
