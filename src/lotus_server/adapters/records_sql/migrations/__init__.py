"""How a database gets from one release's schema to the next."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic keeps what it works on in variables of its module.
_one_at_a_time: Final = threading.Lock()


def upgrade(connection: Connection) -> None:
    """The schema is the newest, within the connection's transaction."""
    if _revision_of(connection) == newest_revision():
        return  # Alembic is not even loaded: every start but the first of a release is a quarter of a second faster
    from alembic import command  # noqa: PLC0415

    with _one_at_a_time:
        command.upgrade(configuration(connection), "head")


def newest_revision() -> str:
    """Return the revision that the newest migration leads to: the number in its file's name."""
    names = [path.stem for path in (Path(__file__).parent / "versions").glob("release_*.py")]
    return max(names).removeprefix("release_")


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def configuration(connection: Connection) -> "Config":
    """Return Alembic's configuration for these migrations and a connection."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
