"""The tables of credit schedules and wallets. Grants and postings are in `tables.py`, as everything else is."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, UniqueConstraint, text

from lotus_server.adapters.records_sql.tables import METADATA, due_indexes
from lotus_server.adapters.records_sql.types import TEXT, Choice, ExactDecimal, Instant, Structured
from lotus_server.domain.credits import Rollover, Term, TopUpStatus
from lotus_server.kernel.period import Duration


def _of_customer() -> ForeignKeyConstraint:
    keys = ("organization_id", "customer_id")
    return ForeignKeyConstraint(keys, [f"customers.{key}" for key in keys])


CREDIT_SCHEDULES = Table(
    "credit_schedules",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("schedule_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("recurs", Choice(Duration), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("ends_at", Instant),
    Column("expires_after", Structured(Term)),
    Column("priority", Integer, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("rollover", Structured(Rollover)),
    Column("given_count", Integer, nullable=False),
    Column("canceled_at", Instant),
    _of_customer(),
    Index("ix_credit_schedules_customer", "organization_id", "customer_id", "schedule_id"),
    *due_indexes("credit_schedules"),
)

WALLETS = Table(
    "wallets",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, primary_key=True),
    Column("currency", TEXT, primary_key=True),
    Column("threshold", ExactDecimal, nullable=False),
    Column("top_up_amount", ExactDecimal, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("max_per_month", ExactDecimal),
    Column("is_armed", Boolean, nullable=False),
    Column("due_at", Instant),
    _of_customer(),
    *due_indexes("wallets"),
)

TOP_UPS = Table(
    "top_ups",
    METADATA,
    Column("organization_id", TEXT, primary_key=True),
    Column("top_up_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("wanted_at", Instant, nullable=False),
    Column("status", Choice(TopUpStatus), nullable=False),
    Column("resolved_at", Instant),
    Column("credit_id", TEXT),
    _of_customer(),
    Index("ix_top_ups_wallet", "organization_id", "customer_id", "currency", "wanted_at"),
    Index(
        "uq_top_ups_pending",
        "organization_id",
        "customer_id",
        "currency",
        unique=True,
        sqlite_where=text("status = 'pending'"),
        postgresql_where=text("status = 'pending'"),
    ),
    UniqueConstraint("organization_id", "credit_id", name="uq_top_ups_credit"),
)
