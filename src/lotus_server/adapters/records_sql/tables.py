"""The schema. Every key begins with the organization, so that the rows of one tenant lie together.

A change here is a new file in `migrations/versions`; a test compares what the migrations make with this file.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from lotus_server.adapters.records_sql.definitions import Definition
from lotus_server.adapters.records_sql.types import TEXT, Choice, ExactDecimal, FreeForm, Instant, Structured
from lotus_server.domain.accounts import InvoiceGrouping, InvoiceSettings, OrganizationType, Scope, TaxStatus
from lotus_server.domain.catalog import (
    AddOnTerms,
    Calendar,
    Commitment,
    Component,
    ExternalLink,
    PriceAdjustment,
    ProrationUnit,
    RecurringCharge,
    Tag,
    UsageInvoicing,
    VersionStatus,
)
from lotus_server.domain.credits import CreditAccount, Rollover
from lotus_server.domain.invoicing import (
    AppliedDiscount,
    InvoiceLine,
    PaymentStatus,
    TaxSubtotal,
)
from lotus_server.domain.metering import PropertyMatch
from lotus_server.domain.subscriptions import Cadence, LookedBack, NextPlan, Pause, QuantityChange
from lotus_server.kernel.period import Duration

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)


def _organization() -> Column[str]:
    return Column("organization_id", TEXT, primary_key=True)


def _belongs_to(table: str, *columns: str) -> ForeignKeyConstraint:
    keys = ("organization_id", *columns)
    return ForeignKeyConstraint(keys, [f"{table}.{key}" for key in keys])


def due_indexes(table: str) -> tuple[Index, ...]:
    """Return the indexes that find what is due: of anybody, of an organization, of a customer."""
    condition = text("due_at IS NOT NULL")
    names = {
        f"ix_{table}_due": ("due_at", "organization_id", "customer_id"),
        f"ix_{table}_due_of_organization": ("organization_id", "due_at", "customer_id"),
        f"ix_{table}_due_of_customer": ("organization_id", "customer_id", "due_at"),
    }
    return tuple(
        Index(name, *columns, sqlite_where=condition, postgresql_where=condition) for name, columns in names.items()
    )


ORGANIZATIONS = Table(
    "organizations",
    METADATA,
    _organization(),
    Column("name", TEXT, nullable=False),
    Column("type", Choice(OrganizationType), nullable=False),
    Column("default_currency", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("clock_now", Instant),
    Column("rejects_unknown_customers", Boolean, nullable=False),
    Column("invoice_settings", Structured(InvoiceSettings), nullable=False, server_default="{}"),
    Column("clock_run_from", Instant),
    Column("clock_run_until", Instant),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    _organization(),
    Column("key_id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("prefix", TEXT, nullable=False),
    Column("secret_hash", TEXT, nullable=False),
    Column("scope", Choice(Scope), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("expires_at", Instant),
    _belongs_to("organizations"),
    UniqueConstraint("secret_hash", name="uq_api_keys_secret_hash"),
    Index("ix_api_keys_key_id", "key_id"),
)

CUSTOMERS = Table(
    "customers",
    METADATA,
    _organization(),
    Column("customer_id", TEXT, primary_key=True),
    Column("customer_name", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("email", TEXT),
    Column("payment_provider", TEXT),
    Column("payment_provider_id", TEXT),
    Column("properties", FreeForm, nullable=False),
    Column("address", FreeForm),
    Column("billing_address", FreeForm),
    Column("shipping_address", FreeForm),
    Column("tax_rate", ExactDecimal),
    Column("timezone", TEXT, nullable=False),
    Column("tax_status", Choice(TaxStatus), nullable=False, server_default="taxable"),
    Column("tax_id", TEXT),
    Column("invoice_grouping", Choice(InvoiceGrouping)),
    # What searching and sorting look at; made of the columns above, without regard to case.
    Column("search_text", TEXT, nullable=False, server_default=text("''")),
    Column("sort_name", TEXT, nullable=False, server_default=text("''")),
    _belongs_to("organizations"),
    Index("ix_customers_name", "organization_id", "sort_name", "customer_id"),
    Index("ix_customers_created", "organization_id", "created_at", "customer_id"),
)

METRICS = Table(
    "metrics",
    METADATA,
    _organization(),
    Column("metric_id", TEXT, primary_key=True),
    Column("metric_name", TEXT, nullable=False),
    Column("definition", Definition, nullable=False),
    Column("is_cost_metric", Boolean, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("replaces", TEXT),
    Column("replaced_by", TEXT),
    Column("made_number", BigInteger, nullable=False),
    _belongs_to("organizations"),
    Index("uq_metrics_replaces", "organization_id", "replaces", unique=True),
    Index(
        "uq_metrics_name_unarchived",
        "organization_id",
        "metric_name",
        unique=True,
        sqlite_where=text("NOT archived"),
        postgresql_where=text("NOT archived"),
    ),
    Index("ix_metrics_made", "organization_id", "made_number"),
)

FEATURES = Table(
    "features",
    METADATA,
    _organization(),
    Column("feature_id", TEXT, primary_key=True),
    Column("feature_name", TEXT, nullable=False),
    Column("feature_description", TEXT, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("made_number", BigInteger, nullable=False),
    _belongs_to("organizations"),
    Index(
        "uq_features_name_unarchived",
        "organization_id",
        "feature_name",
        unique=True,
        sqlite_where=text("NOT archived"),
        postgresql_where=text("NOT archived"),
    ),
    Index("ix_features_made", "organization_id", "made_number"),
)

PLANS = Table(
    "plans",
    METADATA,
    _organization(),
    Column("plan_id", TEXT, primary_key=True),
    Column("plan_name", TEXT, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("duration", Choice(Duration), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("made_number", BigInteger, nullable=False),
    Column("tags", Structured(tuple[Tag, ...]), nullable=False, server_default="[]"),
    Column("external_links", Structured(tuple[ExternalLink, ...]), nullable=False, server_default="[]"),
    Column("addon", Structured(AddOnTerms)),
    _belongs_to("organizations"),
    Index("ix_plans_made", "organization_id", "made_number"),
)

PLAN_VERSIONS = Table(
    "plan_versions",
    METADATA,
    _organization(),
    Column("version_id", TEXT, primary_key=True),
    Column("plan_id", TEXT, nullable=False),
    Column("version", Integer, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("created_at", Instant, nullable=False),
    # For servers of the release before, which know nothing else; to be dropped in a later one.
    Column("status", Choice(VersionStatus), nullable=False),
    Column("recurring_charges", Structured(tuple[RecurringCharge, ...]), nullable=False),
    Column("components", Structured(tuple[Component, ...]), nullable=False),
    Column("feature_ids", Structured(tuple[str, ...]), nullable=False),
    Column("trial_days", Integer, nullable=False),
    Column("active_from", Instant),
    Column("active_to", Instant),
    Column("localized_name", TEXT),
    Column("target_customer_ids", Structured(tuple[str, ...]), nullable=False, server_default="[]"),
    Column("replace_with", TEXT),
    Column("price_adjustment", Structured(PriceAdjustment)),
    Column("commitment", Structured(Commitment)),
    Column("feature_values", FreeForm, nullable=False, server_default="{}"),
    Column("proration_unit", Choice(ProrationUnit), nullable=False, server_default=ProrationUnit.EXACT),
    Column("calendar", Structured(Calendar)),
    Column("usage_invoicing", Structured(UsageInvoicing), nullable=False, server_default="{}"),
    Column("transition_to", TEXT),
    _belongs_to("plans", "plan_id"),
    UniqueConstraint("organization_id", "plan_id", "version", name="uq_plan_versions_number"),
)

PRICING_UNITS = Table(
    "pricing_units",
    METADATA,
    _organization(),
    Column("code", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("symbol", TEXT, nullable=False),
    Column("made_number", BigInteger, nullable=False),
    _belongs_to("organizations"),
)

SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    _organization(),
    Column("subscription_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("plan_id", TEXT, nullable=False),
    Column("version_id", TEXT, nullable=False),
    Column("duration", Choice(Duration), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("anchor", Instant, nullable=False),
    Column("ends_at", Instant),
    Column("auto_renew", Boolean, nullable=False),
    Column("is_new", Boolean, nullable=False),
    Column("open_start", Instant, nullable=False),
    Column("open_end", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("matches", Structured(tuple[PropertyMatch, ...]), nullable=False),
    Column("metadata", FreeForm, nullable=False),
    Column("canceled_at", Instant),
    Column("is_fully_billed", Boolean, nullable=False),
    Column("parked_cause", TEXT),
    Column("usage_from", Structured(dict[str, datetime]), nullable=False, server_default="{}"),
    Column("quantities", Structured(dict[str, Decimal]), nullable=False, server_default="{}"),
    Column("quantity_changes", Structured(tuple[QuantityChange, ...]), nullable=False, server_default="[]"),
    Column("parent_id", TEXT),
    Column("trial_end", Instant),
    Column("timezone", TEXT, nullable=False, server_default="UTC"),
    Column("pauses", Structured(tuple[Pause, ...]), nullable=False, server_default="[]"),
    Column("cadence", Structured(Cadence), nullable=False, server_default="{}"),
    Column("looked_back", Structured(LookedBack)),
    Column("next_plan", Structured(NextPlan)),
    _belongs_to("customers", "customer_id"),
    _belongs_to("plan_versions", "version_id"),
    # With the end, so that it alone says who is subscribed.
    Index("ix_subscriptions_customer", "organization_id", "customer_id", "starts_at", "subscription_id", "ends_at"),
    Index(
        "ix_subscriptions_parent",
        "organization_id",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
    Index("ix_subscriptions_plan", "organization_id", "plan_id", "subscription_id"),
    Index("ix_subscriptions_version", "organization_id", "version_id", "starts_at", "ends_at"),
    # Not for add-ons, and so not for the many questions about all of a customer's subscriptions, for which SQLite would
    # rather take an index in the order that is wanted than the one that finds the customer.
    *(
        Index(
            f"ix_subscriptions_{name}",
            "organization_id",
            *columns,
            "subscription_id",
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        )
        for name, columns in (
            ("start", ["starts_at"]),
            ("end", ["ends_at"]),
            ("plan_start", ["plan_id", "starts_at"]),
        )
    ),
    Index(
        "ix_subscriptions_parked",
        "organization_id",
        "parent_id",
        "subscription_id",
        sqlite_where=text("parked_cause IS NOT NULL"),
        postgresql_where=text("parked_cause IS NOT NULL"),
    ),
    # Few were ever paused, or have a trial.
    Index(
        "ix_subscriptions_paused",
        "organization_id",
        "parent_id",
        "subscription_id",
        sqlite_where=text("pauses != '[]'"),
        postgresql_where=text("pauses != '[]'"),
    ),
    Index(
        "ix_subscriptions_trial",
        "organization_id",
        "trial_end",
        "subscription_id",
        sqlite_where=text("trial_end IS NOT NULL"),
        postgresql_where=text("trial_end IS NOT NULL"),
    ),
    # Almost every subscription that has ended is never due again, so these two stay small.
    Index(
        "ix_subscriptions_due",
        "due_at",
        "organization_id",
        "subscription_id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ix_subscriptions_awaiting",
        "organization_id",
        "open_end",
        "subscription_id",
        sqlite_where=text("due_at IS NOT NULL AND parked_cause IS NULL"),
        postgresql_where=text("due_at IS NOT NULL AND parked_cause IS NULL"),
    ),
    Index(
        "ix_subscriptions_due_of_organization",
        "organization_id",
        "due_at",
        "subscription_id",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
)

_READ_SUMS = ("due_at", "total_scaled", "plan_id", "invoice_number")
_READ = ("payment_status", "currency", *_READ_SUMS)
INVOICES = Table(
    "invoices",
    METADATA,
    _organization(),
    Column("invoice_id", TEXT, primary_key=True),
    Column("invoice_number", TEXT, nullable=False),
    Column("cause", TEXT, nullable=False),
    Column("customer_id", TEXT, nullable=False),
    Column("subscription_id", TEXT),
    Column("currency", TEXT, nullable=False),
    Column("period_start", Instant, nullable=False),
    Column("period_end", Instant, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lines", Structured(tuple[InvoiceLine, ...]), nullable=False),
    Column("subtotal", ExactDecimal, nullable=False),
    Column("credit_applied", ExactDecimal, nullable=False),
    Column("total", ExactDecimal, nullable=False),
    Column("payment_status", Choice(PaymentStatus), nullable=False),
    Column("taxes", Structured(tuple[TaxSubtotal, ...]), nullable=False, server_default="[]"),
    Column("prices_include_tax", Boolean, nullable=False, server_default=false()),
    Column("credited", ExactDecimal, nullable=False, server_default="0"),
    Column("discounts", Structured(tuple[AppliedDiscount, ...]), nullable=False, server_default="[]"),
    Column("note", TEXT, nullable=False, server_default=text("''")),
    Column("made_number", BigInteger, nullable=False),
    # For lists and sums: the plan of the first line by one; the total, and what is left of it, in 1/10,000.
    Column("plan_id", TEXT),
    Column("total_scaled", BigInteger, nullable=False, server_default="0"),
    Column("due_scaled", BigInteger, nullable=False, server_default="0"),
    _belongs_to("customers", "customer_id"),
    _belongs_to("subscriptions", "subscription_id"),
    UniqueConstraint("organization_id", "cause", name="uq_invoices_cause"),
    UniqueConstraint("organization_id", "invoice_number", name="uq_invoices_number"),
    Index("ix_invoices_made", "organization_id", "made_number", "invoice_id"),
    Index("ix_invoices_customer", "organization_id", "customer_id", "made_number", "invoice_id"),
    Index("ix_invoices_payment_status", "organization_id", "payment_status", "made_number", "invoice_id"),
    Index("ix_invoices_issued", "organization_id", "issued_at", "made_number", "invoice_id", *_READ),
    Index("ix_invoices_sums", "organization_id", "payment_status", "currency", "issued_at", "due_scaled", *_READ_SUMS),
    # Carries what a sum needs, so that what customers owe is read from the index alone. All of it has one status, but
    # only with that SQLite prefers this index to the one before.
    Index(
        "ix_invoices_unpaid",
        "organization_id",
        "payment_status",
        "customer_id",
        "currency",
        "total",
        "credited",
        "due_at",
        sqlite_where=text("payment_status = 'unpaid'"),
        postgresql_where=text("payment_status = 'unpaid'"),
    ),
)

INVOICE_SERIES = Table(
    "invoice_series",
    METADATA,
    _organization(),
    Column("last_number", BigInteger, nullable=False),
    Column("last_credit_note_number", BigInteger, nullable=False, server_default="0"),
    _belongs_to("organizations"),
)

CREDIT_GRANTS = Table(
    "credit_grants",
    METADATA,
    _organization(),
    Column("credit_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("effective_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("priority", Integer, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("amount_paid", ExactDecimal, nullable=False),
    Column("amount_paid_currency", TEXT),
    Column("invoice_id", TEXT),
    Column("voided_at", Instant),
    Column("rollover", Structured(Rollover)),
    Column("rolled_over_from", TEXT),
    Column("rollover_number", Integer, nullable=False, server_default="0"),
    Column("schedule_id", TEXT),
    Column("is_prepaid", Boolean, nullable=False, server_default=false()),
    Column("due_at", Instant),
    _belongs_to("customers", "customer_id"),
    Index("ix_credit_grants_customer", "organization_id", "customer_id", "currency", "credit_id"),
    *due_indexes("credit_grants"),
)

CREDIT_POSTINGS = Table(
    "credit_postings",
    METADATA,
    _organization(),
    Column("posting_id", TEXT, primary_key=True),
    Column("cause", TEXT, nullable=False),
    Column("credit_id", TEXT, nullable=False),
    Column("customer_id", TEXT, nullable=False),
    Column("currency", TEXT, nullable=False),
    Column("source", Choice(CreditAccount), nullable=False),
    Column("target", Choice(CreditAccount), nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("description", TEXT, nullable=False),
    Column("invoice_id", TEXT),
    _belongs_to("credit_grants", "credit_id"),
    UniqueConstraint("organization_id", "cause", name="uq_credit_postings_cause"),
    Index(
        "ix_credit_postings_invoice",
        "organization_id",
        "invoice_id",
        sqlite_where=text("invoice_id IS NOT NULL"),
        postgresql_where=text("invoice_id IS NOT NULL"),
    ),
    # Carries what a sum needs, so that what a grant has left is read from the index alone.
    Index("ix_credit_postings_credit", "organization_id", "credit_id", "source", "target", "amount"),
)

# A note per transaction and thing changed; see changes.py. An empty customer id stands for the whole organization.
# Here alone the key does not begin with the organization: a reader wants the newest notes of everybody.
CHANGES = Table(
    "changes",
    METADATA,
    Column("change_number", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", TEXT, primary_key=True),
    Column("customer_id", TEXT, primary_key=True),
)

CHANGE_HORIZON = Table(
    "change_horizon",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("pruned_below", BigInteger, nullable=False),
)
