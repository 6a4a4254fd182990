"""A metric keeps its whole definition in one place, and knows the version before and after it."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

Row = dict[str, Any]


def upgrade() -> None:
    """Every metric is the first version of itself."""
    before = op.get_bind().execute(sa.text("SELECT * FROM metrics")).mappings()
    rows = [_with_definition(dict(row)) for row in before]
    op.drop_table("metrics")
    _create_metrics()
    if rows:
        op.bulk_insert(sa.table("metrics", *(sa.column(name) for name in rows[0])), rows)


def _create_metrics() -> None:
    op.create_table(
        "metrics",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("metric_id", TEXT, nullable=False),
        sa.Column("metric_name", TEXT, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("is_cost_metric", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("replaces", TEXT),
        sa.Column("replaced_by", TEXT),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_metrics_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "metric_id", name="pk_metrics"),
    )
    op.create_index("ix_metrics_made", "metrics", ["organization_id", "made_number"])
    op.create_index("uq_metrics_replaces", "metrics", ["organization_id", "replaces"], unique=True)
    op.create_index(
        "uq_metrics_name_unarchived",
        "metrics",
        ["organization_id", "metric_name"],
        unique=True,
        sqlite_where=sa.text("NOT archived"),
        postgresql_where=sa.text("NOT archived"),
    )


def _with_definition(row: Row) -> Row:
    definition = {"event_name": row["event_name"], "aggregation": row["aggregation"]}
    if row["property_name"] is not None:
        definition["property_name"] = row["property_name"]
    text = json.dumps(definition, ensure_ascii=False)[:-1]
    # The lists go over as they are written: no number in them passes through a float.
    text += "".join(f', "{name}": {row[name]}' for name in ("filters", "group_by") if row[name] != "[]") + "}"
    kept = ("organization_id", "metric_id", "metric_name", "made_number")
    return {
        **{name: row[name] for name in kept},
        "definition": text,
        "is_cost_metric": bool(row["is_cost_metric"]),
        "archived": bool(row["archived"]),
        "version": 1,
        "replaces": None,
        "replaced_by": None,
    }
