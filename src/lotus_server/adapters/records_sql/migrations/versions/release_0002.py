"""Credit is kept as grants, and the ledger moves it between accounts.

Until now a posting was one signed number for each customer and currency. Every positive one becomes a grant that never
expires, and every negative one is drawn from these grants, the oldest first, as it would have been.
"""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
INSTANT = sa.BigInteger()
PRIORITY_DEFAULT = 100

Row = dict[str, Any]


def upgrade() -> None:
    """Every posting belongs to a grant."""
    before = op.get_bind().execute(sa.text("SELECT * FROM credit_postings ORDER BY posted_at, posting_id"))
    grants, postings = _as_grants([dict(row) for row in before.mappings()])
    op.drop_table("credit_postings")
    _create_grants()
    _create_postings()
    for name, rows in (("credit_grants", grants), ("credit_postings", postings)):
        if rows:
            columns = [sa.column(key, DECIMAL if key.startswith("amount") else None) for key in rows[0]]
            op.bulk_insert(sa.table(name, *columns), rows)


def _create_grants() -> None:
    op.create_table(
        "credit_grants",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("credit_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("amount_paid", DECIMAL, nullable=False),
        sa.Column("amount_paid_currency", TEXT),
        sa.Column("invoice_id", TEXT),
        sa.Column("voided_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_credit_grants_customers",
        ),
        sa.PrimaryKeyConstraint("organization_id", "credit_id", name="pk_credit_grants"),
    )
    op.create_index("ix_credit_grants_customer", "credit_grants", ["organization_id", "customer_id", "currency"])


def _create_postings() -> None:
    op.create_table(
        "credit_postings",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("posting_id", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("credit_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.Column("posted_at", INSTANT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT),
        sa.ForeignKeyConstraint(
            ["organization_id", "credit_id"],
            ["credit_grants.organization_id", "credit_grants.credit_id"],
            name="fk_credit_postings_credit_grants",
        ),
        sa.PrimaryKeyConstraint("organization_id", "posting_id", name="pk_credit_postings"),
        sa.UniqueConstraint("organization_id", "cause", name="uq_credit_postings_cause"),
    )
    op.create_index(
        "ix_credit_postings_credit",
        "credit_postings",
        ["organization_id", "credit_id", "source", "target", "amount"],
    )


def _as_grants(before: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the grants and postings that signed postings, in the order of their time, stand for."""
    grants: list[Row] = []
    postings: list[Row] = []
    left: dict[tuple[str, str, str], list[list[Any]]] = {}
    for row in before:
        owner = (row["organization_id"], row["customer_id"], row["currency"])
        amount = Decimal(row["amount"])
        held = left.setdefault(owner, [])
        if amount > 0:
            grants.append(_grant(row))
            postings.append(_posting(row, row["posting_id"], amount, "issued", "available"))
            held.append([row["posting_id"], amount])
            continue
        due = -amount
        for grant in held:
            part = min(grant[1], due)
            if part:
                number = len(postings)
                postings.append(
                    _posting(row, grant[0], part, "available", "applied") | {"posting_id": f"posting_0002_{number}"}
                )
                grant[1] -= part
                due -= part
    return grants, postings


def _grant(row: Row) -> Row:
    return {
        "organization_id": row["organization_id"],
        "credit_id": row["posting_id"],
        "customer_id": row["customer_id"],
        "currency": row["currency"],
        "amount": row["amount"],
        "granted_at": row["posted_at"],
        "effective_at": row["posted_at"],
        "expires_at": None,
        "priority": PRIORITY_DEFAULT,
        "description": row["description"],
        "amount_paid": "0" if isinstance(row["amount"], str) else Decimal(0),
        "amount_paid_currency": None,
        "invoice_id": row["invoice_id"],
        "voided_at": None,
    }


def _posting(row: Row, credit_id: str, amount: Decimal, source: str, target: str) -> Row:
    return {
        "organization_id": row["organization_id"],
        "posting_id": row["posting_id"],
        "cause": f"{credit_id}:granted" if source == "issued" else f"{credit_id}:{row['invoice_id']}",
        "credit_id": credit_id,
        "customer_id": row["customer_id"],
        "currency": row["currency"],
        "source": source,
        "target": target,
        "amount": format(amount, "f") if isinstance(row["amount"], str) else amount,
        "posted_at": row["posted_at"],
        "description": row["description"],
        "invoice_id": row["invoice_id"],
    }
