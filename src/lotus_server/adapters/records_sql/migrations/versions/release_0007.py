"""Versions are on sale for a time, some to some customers; plans have tags; add-ons and pricing units exist.

Until now a version that another one had taken over from was inactive. It went off sale when that other one was made.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
JSON_TEXT = sa.Text()
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """Every plan is as it was, and what was inactive is off sale."""
    op.add_column("plans", sa.Column("tags", JSON_TEXT, nullable=False, server_default="[]"))
    op.add_column("plans", sa.Column("external_links", JSON_TEXT, nullable=False, server_default="[]"))
    op.add_column("plans", sa.Column("addon", JSON_TEXT))
    for column in (
        sa.Column("active_from", INSTANT),
        sa.Column("active_to", INSTANT),
        sa.Column("localized_name", TEXT),
        sa.Column("target_customer_ids", JSON_TEXT, nullable=False, server_default="[]"),
        sa.Column("replace_with", TEXT),
        sa.Column("price_adjustment", JSON_TEXT),
        sa.Column("commitment", JSON_TEXT),
        sa.Column("feature_values", JSON_TEXT, nullable=False, server_default="{}"),
    ):
        op.add_column("plan_versions", column)
    op.create_table(
        "pricing_units",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("symbol", TEXT, nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "code", name="pk_pricing_units"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_pricing_units_organizations"
        ),
    )
    op.execute(
        """
        UPDATE plan_versions SET active_to = COALESCE(
            (
                SELECT MIN(later.created_at) FROM plan_versions AS later
                WHERE later.organization_id = plan_versions.organization_id
                AND later.plan_id = plan_versions.plan_id
                AND later.currency = plan_versions.currency
                AND later.version > plan_versions.version
            ),
            created_at
        )
        WHERE status = 'inactive'
        """
    )
