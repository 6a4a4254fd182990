"""The schema of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
JSON_TEXT = sa.Text()
DECIMAL = sa.Text().with_variant(sa.Numeric(), "postgresql")
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """Every table exists."""
    _create_accounts()
    _create_catalog()
    _create_plans()
    _create_subscriptions()
    _create_invoices()
    _create_credits()
    _create_replies()
    _create_changes()


def _create_accounts() -> None:
    op.create_table(
        "organizations",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("type", TEXT, nullable=False),
        sa.Column("default_currency", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("clock_now", INSTANT),
        sa.Column("rejects_unknown_customers", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_organizations"),
    )
    op.create_table(
        "api_keys",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("expires_at", INSTANT),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_api_keys_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "key_id", name="pk_api_keys"),
        sa.UniqueConstraint("secret_hash", name="uq_api_keys_secret_hash"),
    )
    op.create_index("ix_api_keys_key_id", "api_keys", ["key_id"])
    op.create_table(
        "customers",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("customer_name", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("email", TEXT),
        sa.Column("payment_provider", TEXT),
        sa.Column("payment_provider_id", TEXT),
        sa.Column("properties", JSON_TEXT, nullable=False),
        sa.Column("address", JSON_TEXT),
        sa.Column("billing_address", JSON_TEXT),
        sa.Column("shipping_address", JSON_TEXT),
        sa.Column("tax_rate", DECIMAL),
        sa.Column("timezone", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_customers_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "customer_id", name="pk_customers"),
    )


def _create_catalog() -> None:
    op.create_table(
        "metrics",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("metric_id", TEXT, nullable=False),
        sa.Column("metric_name", TEXT, nullable=False),
        sa.Column("event_name", TEXT, nullable=False),
        sa.Column("aggregation", TEXT, nullable=False),
        sa.Column("property_name", TEXT),
        sa.Column("filters", JSON_TEXT, nullable=False),
        sa.Column("group_by", JSON_TEXT, nullable=False),
        sa.Column("is_cost_metric", sa.Boolean(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_metrics_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "metric_id", name="pk_metrics"),
    )
    op.create_index("ix_metrics_made", "metrics", ["organization_id", "made_number"])
    op.create_index(
        "uq_metrics_name_unarchived",
        "metrics",
        ["organization_id", "metric_name"],
        unique=True,
        sqlite_where=sa.text("NOT archived"),
        postgresql_where=sa.text("NOT archived"),
    )
    op.create_table(
        "features",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("feature_id", TEXT, nullable=False),
        sa.Column("feature_name", TEXT, nullable=False),
        sa.Column("feature_description", TEXT, nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_features_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "feature_id", name="pk_features"),
    )
    op.create_index("ix_features_made", "features", ["organization_id", "made_number"])
    op.create_index(
        "uq_features_name_unarchived",
        "features",
        ["organization_id", "feature_name"],
        unique=True,
        sqlite_where=sa.text("NOT archived"),
        postgresql_where=sa.text("NOT archived"),
    )


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("plan_name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("duration", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.organization_id"], name="fk_plans_organizations"),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", name="pk_plans"),
    )
    op.create_index("ix_plans_made", "plans", ["organization_id", "made_number"])
    op.create_table(
        "plan_versions",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("recurring_charges", JSON_TEXT, nullable=False),
        sa.Column("components", JSON_TEXT, nullable=False),
        sa.Column("feature_ids", JSON_TEXT, nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"], ["plans.organization_id", "plans.plan_id"], name="fk_plan_versions_plans"
        ),
        sa.PrimaryKeyConstraint("organization_id", "version_id", name="pk_plan_versions"),
        sa.UniqueConstraint("organization_id", "plan_id", "version", name="uq_plan_versions_number"),
    )


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("subscription_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("version_id", TEXT, nullable=False),
        sa.Column("duration", TEXT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("anchor", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("auto_renew", sa.Boolean(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("open_start", INSTANT, nullable=False),
        sa.Column("open_end", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("matches", JSON_TEXT, nullable=False),
        sa.Column("metadata", JSON_TEXT, nullable=False),
        sa.Column("canceled_at", INSTANT),
        sa.Column("is_fully_billed", sa.Boolean(), nullable=False),
        sa.Column("parked_cause", TEXT),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_subscriptions_customers",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "version_id"],
            ["plan_versions.organization_id", "plan_versions.version_id"],
            name="fk_subscriptions_plan_versions",
        ),
        sa.PrimaryKeyConstraint("organization_id", "subscription_id", name="pk_subscriptions"),
    )
    op.create_index(
        "ix_subscriptions_customer", "subscriptions", ["organization_id", "customer_id", "starts_at", "subscription_id"]
    )
    op.create_index(
        "ix_subscriptions_due",
        "subscriptions",
        ["due_at", "organization_id", "subscription_id"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_subscriptions_due_of_organization",
        "subscriptions",
        ["organization_id", "due_at", "subscription_id"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_subscriptions_plan", "subscriptions", ["organization_id", "plan_id", "subscription_id"])
    op.create_index(
        "ix_subscriptions_version", "subscriptions", ["organization_id", "version_id", "starts_at", "ends_at"]
    )


def _create_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT, nullable=False),
        sa.Column("invoice_number", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("subscription_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("period_start", INSTANT, nullable=False),
        sa.Column("period_end", INSTANT, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("lines", JSON_TEXT, nullable=False),
        sa.Column("subtotal", DECIMAL, nullable=False),
        sa.Column("credit_applied", DECIMAL, nullable=False),
        sa.Column("total", DECIMAL, nullable=False),
        sa.Column("payment_status", TEXT, nullable=False),
        sa.Column("made_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_invoices_customers",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "subscription_id"],
            ["subscriptions.organization_id", "subscriptions.subscription_id"],
            name="fk_invoices_subscriptions",
        ),
        sa.PrimaryKeyConstraint("organization_id", "invoice_id", name="pk_invoices"),
        sa.UniqueConstraint("organization_id", "cause", name="uq_invoices_cause"),
        sa.UniqueConstraint("organization_id", "invoice_number", name="uq_invoices_number"),
    )
    op.create_index("ix_invoices_customer", "invoices", ["organization_id", "customer_id", "made_number", "invoice_id"])
    op.create_index("ix_invoices_made", "invoices", ["organization_id", "made_number", "invoice_id"])
    op.create_index(
        "ix_invoices_payment_status", "invoices", ["organization_id", "payment_status", "made_number", "invoice_id"]
    )
    op.create_table(
        "invoice_series",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_invoice_series_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", name="pk_invoice_series"),
    )


def _create_credits() -> None:
    op.create_table(
        "credit_postings",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("posting_id", TEXT, nullable=False),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", DECIMAL, nullable=False),
        sa.Column("posted_at", INSTANT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT),
        sa.ForeignKeyConstraint(
            ["organization_id", "customer_id"],
            ["customers.organization_id", "customers.customer_id"],
            name="fk_credit_postings_customers",
        ),
        sa.PrimaryKeyConstraint("organization_id", "posting_id", name="pk_credit_postings"),
        sa.UniqueConstraint("organization_id", "cause", name="uq_credit_postings_cause"),
    )
    op.create_index(
        "ix_credit_postings_customer", "credit_postings", ["organization_id", "customer_id", "currency", "amount"]
    )


def _create_replies() -> None:
    op.create_table(
        "replies",
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("request_hash", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name="fk_replies_organizations"
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_replies"),
    )


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("change_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("change_number", "organization_id", "customer_id", name="pk_changes"),
    )
    op.create_table(
        "change_horizon",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pruned_below", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name="pk_change_horizon"),
    )
    op.execute("INSERT INTO change_horizon (one, pruned_below) VALUES (1, 0)")
