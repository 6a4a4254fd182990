"""Values of every kind that the records keep: one plain example of each, and strategies that generate strange ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from lotus_server.domain.accounts import (
    ApiKey,
    Customer,
    InvoiceGrouping,
    InvoiceSettings,
    Organization,
    OrganizationType,
    Scope,
)
from lotus_server.domain.catalog import (
    AddOnTerms,
    Calendar,
    Commitment,
    Component,
    Conversion,
    ExternalLink,
    Feature,
    Graduated,
    Package,
    PerUnit,
    Plan,
    PlanVersion,
    Prepaid,
    PriceAdjustment,
    PricingUnit,
    ProrationUnit,
    RecurringCharge,
    SpendThreshold,
    Tag,
    Tier,
    UsageInvoicing,
    Volume,
)
from lotus_server.domain.credits import (
    CreditAccount,
    CreditGrant,
    CreditPosting,
    CreditSchedule,
    Rollover,
    Term,
    TopUp,
    TopUpStatus,
    Wallet,
)
from lotus_server.domain.invoicing import (
    AppliedDiscount,
    BilledLine,
    BilledPeriod,
    BilledTerms,
    BillingType,
    Coupon,
    CreditedLine,
    CreditNote,
    CreditNoteAmounts,
    Discount,
    DiscountTerms,
    DiscountType,
    Invoice,
    InvoiceLine,
    LineKind,
    PendingLines,
    TaxCategory,
    TaxRate,
    TaxSubtotal,
)
from lotus_server.domain.metering import (
    Aggregation,
    Filter,
    Granularity,
    LevelForm,
    LogPosition,
    Metric,
    MetricDefinition,
    MetricType,
    Operator,
    PropertyMatch,
)
from lotus_server.domain.rating import Step
from lotus_server.domain.subscriptions import (
    Cadence,
    LookedBack,
    NextPlan,
    Pause,
    PausedFees,
    QuantityChange,
    Subscription,
)
from lotus_server.kernel.period import Duration, Period
from lotus_server.ports.records import StoredReply, Transaction

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def days(count: int) -> timedelta:
    return timedelta(days=count)


def organization(organization_id: str = "org", **changes: object) -> Organization:
    value = Organization(organization_id, "Lotus Eaters", OrganizationType.PRODUCTION, "USD", NOW)
    return msgspec.structs.replace(value, **changes)


def api_key(key_id: str = "key", **changes: object) -> ApiKey:
    value = ApiKey("org", key_id, "server", "lk_12", f"hash of {key_id}", Scope.FULL, NOW)
    return msgspec.structs.replace(value, **changes)


def customer(customer_id: str = "acme", **changes: object) -> Customer:
    return msgspec.structs.replace(Customer("org", customer_id, "Acme", NOW, "USD"), **changes)


def metric(metric_id: str = "calls", **changes: object) -> Metric:
    value = Metric("org", metric_id, f"name of {metric_id}", MetricDefinition("api_call", Aggregation.COUNT))
    return msgspec.structs.replace(value, **changes)


def feature(feature_id: str = "sso", **changes: object) -> Feature:
    return msgspec.structs.replace(Feature("org", feature_id, f"name of {feature_id}"), **changes)


def plan(plan_id: str = "pro", **changes: object) -> Plan:
    return msgspec.structs.replace(Plan("org", plan_id, "Pro", "for work", Duration.MONTHLY, NOW), **changes)


def plan_version(version_id: str = "pro_1", **changes: object) -> PlanVersion:
    return msgspec.structs.replace(PlanVersion("org", version_id, "pro", 1, "USD", NOW), **changes)


def pricing_unit(code: str = "credits", **changes: object) -> PricingUnit:
    return msgspec.structs.replace(PricingUnit("org", code, "Credits", "¤"), **changes)


def subscription(subscription_id: str = "sub", **changes: object) -> Subscription:
    value = Subscription(
        organization_id="org",
        subscription_id=subscription_id,
        customer_id="acme",
        plan_id="pro",
        version_id="pro_1",
        duration=Duration.MONTHLY,
        starts_at=MARCH.start,
        anchor=MARCH.start,
        ends_at=None,
        auto_renew=True,
        is_new=True,
        open_period=MARCH,
        created_at=NOW,
        due_at=MARCH.end,
    )
    return msgspec.structs.replace(value, **changes)


def invoice_line(**changes: object) -> InvoiceLine:
    value = InvoiceLine(
        name="API calls",
        kind=LineKind.USAGE,
        billing_type=BillingType.IN_ARREARS,
        period=MARCH,
        quantity=Decimal(1500),
        exact_amount=Decimal("1.005"),
        amount=Decimal("1.01"),
        plan_id="pro",
        version_id="pro_1",
        charge_id="calls",
        metric_id="calls",
        steps=(Step("500 x 0.00201", Decimal(500), Decimal("0.00201"), Decimal("1.005")),),
    )
    return msgspec.structs.replace(value, **changes)


def invoice(number: int = 1, **changes: object) -> Invoice:
    value = Invoice(
        organization_id="org",
        invoice_id=f"inv_{number}",
        invoice_number=f"LOT-{number:06}",
        cause=f"sub:arrears:{number}",
        customer_id="acme",
        subscription_id="sub",
        currency="USD",
        period=MARCH,
        issued_at=NOW,
        due_at=NOW + days(30),
        lines=(invoice_line(),),
        subtotal=Decimal("1.01"),
        credit_applied=Decimal("0.51"),
        total=Decimal("0.5"),
    )
    return msgspec.structs.replace(value, **changes)


def pending_lines(**changes: object) -> PendingLines:
    value = PendingLines(
        organization_id="org",
        pending_id="pending_1",
        customer_id="acme",
        subscription_id="sub",
        currency="USD",
        cause="sub:period:2026-03-01T00:00:00+00:00",
        lines=(invoice_line(),),
        created_at=NOW,
        due_at=NOW,
    )
    return msgspec.structs.replace(value, **changes)


def billed_period(**changes: object) -> BilledPeriod:
    value = BilledPeriod(
        organization_id="org",
        subscription_id="sub",
        held=MARCH,
        customer_id="acme",
        currency="USD",
        version_id="pro_1",
        invoice_id="inv_1",
        invoice_number="LOT-000001",
        terms=BilledTerms(("calls",), reached_elsewhere=Decimal(5)),
        lines=(BilledLine(LineKind.USAGE, "calls", "API calls", Decimal(1500), Decimal("1.01"), "calls", line=0),),
        usage_digest="digest",
    )
    return msgspec.structs.replace(value, **changes)


def grant(credit_id: str = "grant", **changes: object) -> CreditGrant:
    value = CreditGrant(
        organization_id="org",
        credit_id=credit_id,
        customer_id="acme",
        currency="USD",
        amount=Decimal(10),
        granted_at=NOW,
        effective_at=NOW,
        description="a present",
    )
    return msgspec.structs.replace(value, **changes)


def posting(posting_id: str = "granted", amount: str = "10", **changes: object) -> CreditPosting:
    value = CreditPosting(
        organization_id="org",
        posting_id=posting_id,
        cause=f"cause of {posting_id}",
        credit_id="grant",
        customer_id="acme",
        currency="USD",
        source=CreditAccount.ISSUED,
        target=CreditAccount.AVAILABLE,
        amount=Decimal(amount),
        posted_at=NOW,
        description="a present",
    )
    return msgspec.structs.replace(value, **changes)


def drawdown(posting_id: str, amount: str, **changes: object) -> CreditPosting:
    sides = {"source": CreditAccount.AVAILABLE, "target": CreditAccount.APPLIED}
    return posting(posting_id, amount, **sides | {"invoice_id": "inv_1"} | changes)


def coupon(coupon_id: str = "SPRING", **changes: object) -> Coupon:
    terms = DiscountTerms("Spring", DiscountType.PERCENTAGE, Decimal("12.5"))
    return msgspec.structs.replace(Coupon("org", coupon_id, terms, NOW), **changes)


def discount(discount_id: str = "discount", **changes: object) -> Discount:
    terms = DiscountTerms("Friends", DiscountType.FIXED, Decimal(5), "USD")
    return msgspec.structs.replace(Discount("org", discount_id, "acme", terms, NOW), **changes)


def credit_schedule(schedule_id: str = "schedule", **changes: object) -> CreditSchedule:
    value = CreditSchedule(
        organization_id="org",
        schedule_id=schedule_id,
        customer_id="acme",
        currency="USD",
        amount=Decimal(5),
        recurs=Duration.MONTHLY,
        starts_at=NOW,
        created_at=NOW,
        due_at=None,
    )
    return msgspec.structs.replace(value, **changes)


def wallet(currency: str = "USD", **changes: object) -> Wallet:
    value = Wallet("org", "acme", currency, threshold=Decimal(10), top_up_amount=Decimal("50.5"), checked_at=NOW)
    return msgspec.structs.replace(value, **changes)


def top_up(top_up_id: str = "top_up", **changes: object) -> TopUp:
    value = TopUp("org", top_up_id, "acme", "USD", amount=Decimal("50.5"), wanted_at=NOW)
    return msgspec.structs.replace(value, **changes)


def credit_note(credit_note_id: str = "note", **changes: object) -> CreditNote:
    amounts = CreditNoteAmounts((CreditedLine(0, Decimal("0.51")),), Decimal("0.51"), (), Decimal("0.51"))
    value = CreditNote(
        organization_id="org",
        credit_note_id=credit_note_id,
        credit_note_number=f"number of {credit_note_id}",
        invoice_id="inv_1",
        customer_id="acme",
        currency="USD",
        issued_at=NOW,
        reason="A mistake",
        amounts=amounts,
        names=("API calls",),
        reduced_due=Decimal("0.5"),
        credited=Decimal("0.01"),
    )
    return msgspec.structs.replace(value, **changes)


def reply(key: str = "key", **changes: object) -> StoredReply:
    return msgspec.structs.replace(StoredReply("org", key, "hash", 201, b'{"id":"x"}', NOW), **changes)


def fill(transaction: Transaction, organization_id: str = "org") -> None:
    """The organization exists with one of everything, the ids being the same in every organization."""
    own: dict[str, Any] = {"organization_id": organization_id}
    transaction.organizations.add(organization(organization_id))
    transaction.api_keys.add(api_key(secret_hash=f"hash in {organization_id}", **own))
    transaction.customers.add(customer(**own))
    transaction.metrics.add(metric(**own))
    transaction.features.add(feature(**own))
    transaction.plans.add(plan(**own))
    transaction.plans.add_version(plan_version(**own))
    transaction.pricing_units.add(pricing_unit(**own))
    transaction.subscriptions.add(subscription(**own))
    transaction.invoices.add(invoice(1, **own))
    transaction.billed_periods.add(billed_period(**own))
    transaction.pending_lines.add(pending_lines(**own))
    transaction.coupons.add(coupon(**own))
    transaction.discounts.add(discount(**own))
    transaction.credit_notes.add(credit_note(**own))
    transaction.credits.add_grant(grant(**own))
    transaction.credits.add(posting(**own))
    transaction.credit_schedules.add(credit_schedule(**own))
    transaction.wallets.put(wallet(**own))
    transaction.wallets.add_top_up(top_up(**own))
    transaction.replies.add(reply(**own))


# What a NUL character becomes is tested apart. Half a surrogate pair is no character.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40) | st.sampled_from(
    ["", '🪷 O\'Brien & "Søn"; -- %s ?', "null", "\\u0000", "é", "é", "{}", "1e5", "  "]
)


def _decimal(digits: int, exponent: int) -> Decimal:
    return Decimal(f"{digits}E{exponent}")


decimals = st.builds(_decimal, st.integers(-(10**29), 10**29), st.integers(-30, 0)) | st.sampled_from(
    [Decimal(text) for text in ("0.1", "1E-30", "1E+29", "12345678901234567890123456789", "-0", "1.500", "0.00")]
)
instants = st.datetimes(datetime(1900, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
periods = st.tuples(instants, instants).map(lambda two: Period(min(two), max(two)))
json_scalars = st.none() | st.booleans() | st.integers(-(10**40), 10**40) | decimals | texts
json_values = st.recursive(
    json_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
json_objects = st.dictionaries(texts, json_values, max_size=4)
small_numbers = st.integers(0, 2**31 - 1)

organizations = st.builds(
    Organization,
    organization_id=st.uuids().map(str),
    name=texts,
    default_currency=texts,
    created_at=instants,
    clock_now=st.none() | instants,
    invoice_settings=st.builds(
        InvoiceSettings,
        legal_name=st.none() | texts,
        address=st.none() | st.dictionaries(texts, texts, max_size=2),
        tax_percent=st.none() | decimals,
        payment_term_days=small_numbers,
        note=texts,
    ),
)
api_keys = st.builds(
    ApiKey,
    organization_id=st.just("org"),
    key_id=texts,
    name=texts,
    prefix=texts,
    secret_hash=texts,
    created_at=instants,
    last_used_at=st.none() | instants,
    revoked_at=st.none() | instants,
    expires_at=st.none() | instants,
)
customers = st.builds(
    Customer,
    organization_id=st.just("org"),
    customer_id=texts,
    customer_name=texts,
    created_at=instants,
    currency=texts,
    email=st.none() | texts,
    payment_provider=st.none() | texts,
    payment_provider_id=st.none() | texts,
    properties=json_objects,
    address=st.none() | json_objects,
    billing_address=st.none() | json_objects,
    shipping_address=st.none() | json_objects,
    tax_rate=st.none() | decimals,
    timezone=texts,
    tax_id=st.none() | texts,
    invoice_grouping=st.none() | st.sampled_from(InvoiceGrouping),
)
_filter_values = texts | decimals | st.booleans()
filters = st.builds(
    Filter,
    property=texts,
    operator=st.sampled_from(Operator),
    value=st.none() | _filter_values | st.lists(_filter_values, max_size=3).map(tuple),
)


def _definitions(denominators: st.SearchStrategy[MetricDefinition | None]) -> st.SearchStrategy[MetricDefinition]:
    return st.builds(
        MetricDefinition,
        event_name=texts,
        aggregation=st.sampled_from(Aggregation),
        property_name=st.none() | texts,
        filters=st.lists(filters, max_size=3).map(tuple),
        group_by=st.lists(texts, max_size=3).map(tuple),
        type=st.sampled_from(MetricType),
        expression=st.none() | texts,
        percentile=st.none() | decimals,
        level_form=st.sampled_from(LevelForm),
        granularity=st.none() | st.sampled_from(Granularity),
        proration=st.none() | st.sampled_from(Granularity),
        window=st.none() | st.sampled_from(Granularity),
        denominator=denominators,
        sql=st.none() | texts,
    )


metrics = st.builds(
    Metric,
    organization_id=st.just("org"),
    metric_id=texts,
    metric_name=texts,
    definition=_definitions(st.none() | _definitions(st.none())),
    is_cost_metric=st.booleans(),
    archived=st.booleans(),
    version=st.integers(1, 2**31 - 1),
    replaces=st.none() | texts,
    replaced_by=st.none() | texts,
)
features = st.builds(
    Feature, organization_id=st.just("org"), feature_id=texts, feature_name=texts, feature_description=texts
)
plans = st.builds(
    Plan,
    organization_id=st.just("org"),
    plan_id=texts,
    plan_name=texts,
    description=texts,
    created_at=instants,
    tags=st.lists(st.builds(Tag, name=texts, hex=texts, color=texts), max_size=2).map(tuple),
    external_links=st.lists(st.builds(ExternalLink, source=texts, external_plan_id=texts), max_size=2).map(tuple),
    addon=st.none() | st.builds(AddOnTerms),
)
thresholds = st.lists(st.builds(SpendThreshold, amount=decimals), max_size=2).map(tuple)
intervals = st.none() | st.sampled_from(Duration)
conversions = st.none() | st.builds(Conversion, unit=texts, rate=decimals)
_tiers = st.lists(
    st.builds(Tier, up_to=st.none() | decimals, unit_price=decimals, flat_fee=decimals, batch_size=decimals),
    max_size=3,
).map(tuple)
_spends = {"minimum_spend": st.none() | decimals, "maximum_spend": st.none() | decimals}
prices = st.one_of(
    st.builds(PerUnit, unit_price=decimals, free_units=decimals, batch_size=decimals, **_spends),
    st.builds(Graduated, tiers=_tiers, **_spends),
    st.builds(Volume, tiers=_tiers, **_spends),
    st.builds(Package, package_size=decimals, package_price=decimals, free_units=decimals, **_spends),
)
plan_versions = st.builds(
    PlanVersion,
    organization_id=st.just("org"),
    version_id=texts,
    plan_id=st.just("pro"),
    version=st.integers(2, 2**31 - 1),
    currency=texts,
    created_at=instants,
    recurring_charges=st.lists(
        st.builds(
            RecurringCharge,
            charge_id=texts,
            name=texts,
            amount=decimals,
            quantity=decimals,
            conversion=conversions,
        ),
        max_size=2,
    ).map(tuple),
    components=st.lists(
        st.builds(
            Component,
            component_id=texts,
            metric_id=texts,
            price=prices,
            limit=st.none() | decimals,
            prepaid=st.none() | st.builds(Prepaid, units=st.none() | decimals),
            conversion=conversions,
            invoicing_interval=intervals,
            reset_interval=intervals,
        ),
        max_size=3,
    ).map(tuple),
    feature_ids=st.lists(texts, max_size=3).map(tuple),
    trial_days=small_numbers,
    active_from=st.none() | instants,
    active_to=st.none() | instants,
    localized_name=st.none() | texts,
    target_customer_ids=st.lists(texts, max_size=2).map(tuple),
    replace_with=st.none() | texts,
    price_adjustment=st.none() | st.builds(PriceAdjustment, amount=decimals, name=texts, description=texts),
    commitment=st.none() | st.builds(Commitment, amount=decimals, overage_factor=decimals),
    feature_values=st.dictionaries(texts, st.booleans() | decimals | texts, max_size=3),
    proration_unit=st.sampled_from(ProrationUnit),
    calendar=st.none() | st.builds(Calendar, day_anchor=small_numbers, month_anchor=small_numbers),
    transition_to=st.none() | texts,
    usage_invoicing=st.builds(UsageInvoicing, interval=intervals, thresholds=thresholds),
)
pricing_units = st.builds(PricingUnit, organization_id=st.just("org"), code=texts, name=texts, symbol=texts)
subscriptions = st.builds(
    Subscription,
    organization_id=st.just("org"),
    subscription_id=texts,
    customer_id=st.just("acme"),
    plan_id=st.just("pro"),
    version_id=st.just("pro_1"),
    starts_at=instants,
    anchor=instants,
    ends_at=st.none() | instants,
    open_period=periods,
    created_at=instants,
    due_at=st.none() | instants,
    matches=st.lists(st.builds(PropertyMatch, property_name=texts, value=texts), max_size=2).map(tuple),
    metadata=json_objects,
    canceled_at=st.none() | instants,
    parked_cause=st.none() | texts,
    usage_from=st.dictionaries(texts, instants, max_size=2),
    quantities=st.dictionaries(texts, decimals, max_size=2),
    quantity_changes=st.lists(
        st.builds(QuantityChange, key=texts, quantity=decimals, effective_at=instants), max_size=2
    ).map(tuple),
    parent_id=st.none() | texts,
    trial_end=st.none() | instants,
    timezone=texts,
    pauses=st.lists(
        st.builds(
            Pause,
            starts_at=instants,
            ends_at=st.none() | instants,
            fees=st.sampled_from(PausedFees),
            is_planned=st.booleans(),
            place=st.integers(0, 9),
        ),
        max_size=2,
    ).map(tuple),
    cadence=st.builds(
        Cadence,
        interval=intervals,
        invoiced_until=st.none() | instants,
        thresholds=thresholds,
        reached=st.none() | decimals,
    ),
    next_plan=st.none() | st.builds(NextPlan, texts, texts, st.dictionaries(texts, decimals, max_size=2)),
    looked_back=st.none()
    | st.builds(LookedBack, position=st.builds(LogPosition, event=small_numbers, correction=small_numbers)),
)
invoice_lines = st.builds(
    InvoiceLine,
    name=texts,
    period=periods,
    quantity=decimals,
    exact_amount=decimals,
    amount=decimals,
    plan_id=texts,
    version_id=texts,
    charge_id=texts,
    metric_id=st.none() | texts,
    steps=st.lists(
        st.builds(
            Step,
            text=texts,
            quantity=st.none() | decimals,
            unit_price=st.none() | decimals,
            amount=st.none() | decimals,
        ),
        max_size=2,
    ).map(tuple),
)
tax_subtotals = st.lists(
    st.builds(
        TaxSubtotal,
        rate=st.builds(TaxRate, category=st.sampled_from(TaxCategory), percent=decimals),
        base=decimals,
        tax=decimals,
    ),
    max_size=2,
).map(tuple)
invoices = st.builds(
    Invoice,
    organization_id=st.just("org"),
    invoice_id=texts,
    invoice_number=texts,
    cause=texts,
    customer_id=st.just("acme"),
    subscription_id=st.just("sub"),
    currency=texts,
    period=periods,
    issued_at=instants,
    due_at=instants,
    lines=st.lists(invoice_lines, max_size=2).map(tuple),
    subtotal=decimals,
    credit_applied=decimals,
    total=decimals,
    taxes=tax_subtotals,
    prices_include_tax=st.booleans(),
    credited=decimals,
    discounts=st.lists(
        st.builds(
            AppliedDiscount,
            discount_id=texts,
            name=texts,
            amount=decimals,
            parts=st.lists(decimals, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)
discount_terms = st.builds(
    DiscountTerms, name=texts, type=st.sampled_from(DiscountType), amount=decimals, currency=st.none() | texts
)
coupons = st.builds(
    Coupon,
    organization_id=st.just("org"),
    coupon_id=texts.filter(lambda text: text != "SPRING"),
    terms=discount_terms,
    created_at=instants,
    invoices_max=st.none() | small_numbers,
    redeem_until=st.none() | instants,
    redemptions_max=st.none() | small_numbers,
    archived=st.booleans(),
)
discounts = st.builds(
    Discount,
    organization_id=st.just("org"),
    discount_id=texts.filter(lambda text: text != "discount"),
    customer_id=st.just("acme"),
    terms=discount_terms,
    starts_at=instants,
    ends_at=st.none() | instants,
    invoices_left=st.none() | small_numbers,
    coupon_id=st.none() | texts,
)
credit_notes = st.builds(
    CreditNote,
    organization_id=st.just("org"),
    credit_note_id=texts,
    credit_note_number=texts,
    invoice_id=st.just("inv_1"),
    customer_id=st.just("acme"),
    currency=texts,
    issued_at=instants,
    reason=texts,
    amounts=st.builds(
        CreditNoteAmounts,
        lines=st.lists(st.builds(CreditedLine, line=small_numbers, amount=decimals), max_size=2).map(tuple),
        net=decimals,
        taxes=tax_subtotals,
        total=decimals,
    ),
    names=st.lists(texts, max_size=2).map(tuple),
    reduced_due=decimals,
    credited=decimals,
)
terms = st.builds(Term, months=small_numbers, days=small_numbers)
rollovers = st.builds(Rollover, expires_after=terms, max_amount=st.none() | decimals, max_times=small_numbers)
grants = st.builds(
    CreditGrant,
    organization_id=st.just("org"),
    credit_id=texts,
    customer_id=st.just("acme"),
    currency=texts,
    amount=decimals,
    granted_at=instants,
    effective_at=instants,
    expires_at=st.none() | instants,
    priority=small_numbers,
    description=texts,
    amount_paid=decimals,
    amount_paid_currency=st.none() | texts,
    invoice_id=st.none() | texts,
    voided_at=st.none() | instants,
    rollover=st.none() | rollovers,
    rolled_over_from=st.none() | texts,
    rollover_number=small_numbers,
    schedule_id=st.none() | texts,
    is_prepaid=st.booleans(),
    due_at=st.none() | instants,
)
credit_schedules = st.builds(
    CreditSchedule,
    organization_id=st.just("org"),
    schedule_id=texts,
    customer_id=st.just("acme"),
    currency=texts,
    amount=decimals,
    starts_at=instants,
    created_at=instants,
    due_at=st.none() | instants,
    ends_at=st.none() | instants,
    expires_after=st.none() | terms,
    priority=small_numbers,
    description=texts,
    rollover=st.none() | rollovers,
    given_count=small_numbers,
    canceled_at=st.none() | instants,
)
wallets = st.builds(
    Wallet,
    organization_id=st.just("org"),
    customer_id=st.just("acme"),
    currency=texts,
    threshold=decimals,
    top_up_amount=decimals,
    checked_at=instants,
    max_per_month=st.none() | decimals,
    is_armed=st.booleans(),
    due_at=st.none() | instants,
)
top_ups = st.builds(
    TopUp,
    organization_id=st.just("org"),
    top_up_id=texts,
    customer_id=st.just("acme"),
    currency=texts,
    amount=decimals,
    wanted_at=instants,
    status=st.sampled_from([TopUpStatus.SETTLED, TopUpStatus.CANCELED]),
    resolved_at=st.none() | instants,
    credit_id=st.none() | texts,
)
postings = st.builds(
    CreditPosting,
    organization_id=st.just("org"),
    posting_id=texts,
    cause=texts,
    credit_id=st.just("grant"),
    customer_id=texts,
    currency=texts,
    amount=decimals,
    posted_at=instants,
    description=texts,
    invoice_id=st.none() | texts,
)
replies = st.builds(
    StoredReply,
    organization_id=st.just("org"),
    key=texts,
    request_hash=texts,
    status=small_numbers,
    body=st.binary(max_size=50),
    created_at=instants,
)
