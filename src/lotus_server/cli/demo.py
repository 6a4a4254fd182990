"""The demo data: a company that sells an AI API, its 40 customers, and 60 days of their events.

The same company every time, up to the day it starts: what looks random is a hash of who, what and when.
"""

import asyncio
import hashlib
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from lotus_server.cli.terminal import console
from lotus_server.domain.accounts import Organization
from lotus_server.domain.catalog import Graduated, PerUnit, Rounding, Tier, Timing, Volume
from lotus_server.domain.invoicing import PaymentStatus
from lotus_server.domain.metering import Aggregation, Filter, MetricDefinition, Operator
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.period import Duration
from lotus_server.ports.event_store import Submission
from lotus_server.ports.invoice_reading import InvoiceQuestion
from lotus_server.ports.records import Page
from lotus_server.usecases.customers import CustomerDraft, create_customer
from lotus_server.usecases.due_work import do_what_is_due
from lotus_server.usecases.features import FeatureDraft, create_feature
from lotus_server.usecases.invoice_reading import list_invoice_heads
from lotus_server.usecases.invoices import set_payment_status
from lotus_server.usecases.metrics import MetricDraft, create_metric
from lotus_server.usecases.plans import (
    ChargeDraft,
    ComponentDraft,
    GrantedFeature,
    PlanDraft,
    VersionDraft,
    create_plan,
)
from lotus_server.usecases.services import Services, present
from lotus_server.usecases.subscriptions import SubscriptionDraft, create_subscription

DAYS: Final = 60
EVENTS_PER_REQUEST: Final = 5_000
_NAMES: Final = (
    "Acme", "Northwind Robotics", "Blue Harbor", "Quillfeather", "Ostrava Labs", "Pinecrest Health", "Marigold Media",
    "Tessellate", "Copperline", "Fjordlight", "Juniper & Sons", "Halcyon Games", "Brightwater", "Old Mill Foods",
    "Kestrel Air", "Lumen Legal", "Saffron Street", "Ironbark", "Velvet Orchid", "Granite Peak", "Silver Birch",
    "Monsoon Travel", "Hearth & Home", "Zephyr Mobility", "Cobalt Bank", "Driftwood", "Papaya Learning", "Redstone",
    "Wildflower Bio", "Anchor Freight", "Polar Circle", "Basil Kitchen", "Nimbus Weather", "Tin Whistle", "Opal Optics",
    "Larkspur", "Sundial Energy", "Thistle", "Umbra Security", "Yarrow Farms",
)  # fmt: skip
_PLANS: Final = ("plan_free", "plan_growth", "plan_scale")
_MODELS: Final = ("small", "medium", "large")


class _Tenant(msgspec.Struct, frozen=True):
    """One customer of the demo: `size` scales its usage, from a hobbyist's 1 to a large company's 12."""

    customer_id: str
    name: str
    plan_id: str
    size: float
    started_at: datetime


class _Then(msgspec.Struct, frozen=True):
    """A clock that stands at an instant of the past."""

    instant: datetime

    def now(self) -> datetime:
        """Return the instant."""
        return self.instant


def load_demo(services: Services, organization: Organization) -> None:
    """Live through the demo company's days, one by one: who comes, what is used, what is billed, and what is paid."""
    now = present(services, organization)
    tenants = _tenants(now)
    events = sorted(_events(tenants, now), key=lambda event: str(event["time_created"]))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    _create_catalog(*_at(services, organization, midnight - timedelta(days=DAYS)))
    with Progress(TextColumn("Demo data"), BarColumn(), TaskProgressColumn(), console=console, transient=True) as shown:
        task = shown.add_task("days", total=DAYS + 1)
        sent = 0
        for age in range(DAYS, -1, -1):
            morning = midnight - timedelta(days=age)
            evening = min(morning + timedelta(days=1), now)
            for tenant in (each for each in tenants if each.started_at == morning):
                _join(*_at(services, organization, morning), tenant)
            upto = next(
                (at for at in range(sent, len(events)) if events[at]["time_created"] > to_text(evening)), len(events)
            )
            _live(*_at(services, organization, evening), events[sent:upto], evening)
            sent = upto
            shown.advance(task)
    console.print(f"Demo data: {len(tenants)} customers, 3 plans, {len(events):,} events of {DAYS} days.")


def _at(services: Services, organization: Organization, instant: datetime) -> tuple[Services, Organization]:
    """Return services and organization as of an instant of the past."""
    clock_now = None if organization.clock_now is None else instant
    return (
        msgspec.structs.replace(services, clock=_Then(instant)),
        msgspec.structs.replace(organization, clock_now=clock_now),
    )


def _join(services: Services, organization: Organization, tenant: _Tenant) -> None:
    draft = CustomerDraft(tenant.customer_id, tenant.name, email=f"billing@{tenant.customer_id}.example")
    create_customer(services, organization, draft)
    subscription = SubscriptionDraft(tenant.customer_id, tenant.started_at, plan_id=tenant.plan_id)
    create_subscription(services, organization, subscription)


def _live(services: Services, organization: Organization, events: list[dict[str, Any]], evening: datetime) -> None:
    """A day comes to its end: its events are there, what is due is billed, and some invoices are paid."""
    for start in range(0, len(events), EVENTS_PER_REQUEST):
        asyncio.run(_send(services, organization, events[start : start + EVENTS_PER_REQUEST], evening))
    do_what_is_due(services, until=evening, organization=organization)
    unpaid = InvoiceQuestion(payment_status=PaymentStatus.UNPAID)
    for head in list_invoice_heads(services, organization, Page(None, None), unpaid):
        invoice = head.invoice
        # Most customers pay within the month, each in its own time; a few are late.
        patience = timedelta(days=3 + 33 * _chance(invoice.customer_id, "pays"))
        if invoice.amount_due and evening - invoice.issued_at >= patience:
            set_payment_status(services, organization, invoice.invoice_id, PaymentStatus.PAID)


async def _send(services: Services, organization: Organization, batch: list[dict[str, Any]], now: datetime) -> None:
    body = msgspec.json.encode({"batch": batch})
    receipt = await services.events.append(Submission(organization.organization_id, body, now))
    assert receipt.accepted == len(batch), "the demo's events are good and new"


def _create_catalog(services: Services, organization: Organization) -> None:
    for name, text in (
        ("api_access", "Call the API"),
        ("fine_tuning", "Train models of your own"),
        ("priority_support", "An answer within one hour"),
    ):
        create_feature(services, organization, FeatureDraft(name, text, f"feature_{name}"))
    for metric in _metrics():
        create_metric(services, organization, metric)
    for plan in _plans():
        create_plan(services, organization, plan)


def _metrics() -> list[MetricDraft]:
    tokens = [
        MetricDraft(
            f"Tokens, {model} model",
            MetricDefinition("tokens", Aggregation.SUM, "tokens", (Filter("model", Operator.EQ, model),)),
            f"metric_tokens_{model}",
        )
        for model in _MODELS
    ]
    return [
        *tokens,
        MetricDraft("Active seats", MetricDefinition("sign_in", Aggregation.UNIQUE, "user"), "metric_seats"),
        MetricDraft("Storage, GB", MetricDefinition("storage", Aggregation.MAX, "gigabytes"), "metric_storage"),
        MetricDraft("API calls", MetricDefinition("tokens", Aggregation.COUNT), "metric_calls"),
    ]


def _plans() -> list[PlanDraft]:
    return [
        PlanDraft(
            "Free",
            Duration.MONTHLY,
            VersionDraft(
                components=(
                    ComponentDraft("metric_tokens_small", PerUnit(Decimal(0)), limit=Decimal(2_000_000)),
                    ComponentDraft("metric_seats", PerUnit(Decimal(0)), limit=Decimal(3)),
                ),
                features=(GrantedFeature("api_access"),),
            ),
            "plan_free",
            "For trying things out",
        ),
        PlanDraft(
            "Growth",
            Duration.MONTHLY,
            VersionDraft(
                recurring_charges=(ChargeDraft("Platform fee", Decimal(49)),),
                components=(*_token_components(), _seats(included=5, price="12"), _storage()),
                features=(GrantedFeature("api_access"), GrantedFeature("fine_tuning")),
            ),
            "plan_growth",
            "For products with users",
        ),
        PlanDraft(
            "Scale",
            Duration.MONTHLY,
            VersionDraft(
                recurring_charges=(
                    ChargeDraft("Platform fee", Decimal(499)),
                    ChargeDraft("Support", Decimal(200), Timing.IN_ARREARS),
                ),
                components=(*_token_components(), _seats(included=25, price="10"), _storage()),
                features=(
                    GrantedFeature("api_access"),
                    GrantedFeature("fine_tuning"),
                    GrantedFeature("priority_support"),
                ),
            ),
            "plan_scale",
            "For companies",
        ),
    ]


def _token_components() -> tuple[ComponentDraft, ...]:
    thousand = Decimal(1_000)
    small = PerUnit(Decimal("0.0004"), free_units=Decimal(1_000_000), batch_size=thousand, rounding=Rounding.UP)
    medium = Graduated(
        (
            Tier(Decimal(5_000_000), Decimal("0.0030"), batch_size=thousand),
            Tier(Decimal(50_000_000), Decimal("0.0024"), batch_size=thousand),
            Tier(None, Decimal("0.0018"), batch_size=thousand),
        )
    )
    large = Volume(
        (
            Tier(Decimal(2_000_000), Decimal("0.0300"), batch_size=thousand),
            Tier(Decimal(20_000_000), Decimal("0.0250"), batch_size=thousand),
            Tier(None, Decimal("0.0200"), batch_size=thousand),
        )
    )
    return (
        ComponentDraft("metric_tokens_small", small),
        ComponentDraft("metric_tokens_medium", medium),
        ComponentDraft("metric_tokens_large", large),
    )


def _seats(*, included: int, price: str) -> ComponentDraft:
    return ComponentDraft("metric_seats", PerUnit(Decimal(price), free_units=Decimal(included)))


def _storage() -> ComponentDraft:
    tiers = (Tier(Decimal(50)), Tier(Decimal(1_000), Decimal("0.10")), Tier(None, Decimal("0.08")))
    return ComponentDraft("metric_storage", Graduated(tiers))


def _tenants(now: datetime) -> list[_Tenant]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tenants = []
    for index, name in enumerate(_NAMES):
        customer_id = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).replace("---", "-")
        chance = _chance(customer_id, "size")
        plan = 1 if index == 0 else 0 if chance < 0.35 else 1 if chance < 0.85 else 2
        size = (0.3, 2.0, 8.0)[plan] * (0.6 + 0.8 * _chance(customer_id, "scale"))
        days_ago = DAYS if index < 12 else int(DAYS * _chance(customer_id, "start"))
        tenants.append(_Tenant(customer_id, name, _PLANS[plan], size, midnight - timedelta(days=days_ago)))
    return tenants


def _events(tenants: list[_Tenant], now: datetime) -> Iterator[dict[str, Any]]:
    for tenant in tenants:
        day = tenant.started_at
        while day <= now:
            for event in _day(tenant, day):
                if event["time_created"] <= now:
                    yield {**event, "time_created": to_text(event["time_created"])}
            day += timedelta(days=1)


def _day(tenant: _Tenant, day: datetime) -> Iterator[dict[str, Any]]:
    """Yield one customer's events of a day: calls follow the office hours and the week, and grow a little every day."""
    age = (day - tenant.started_at).days
    growth, weekday = 1 + age / 90, 0.35 if day.weekday() >= 5 else 1.0
    for hour in range(24):
        moment = day + timedelta(hours=hour)
        strength = tenant.size * growth * weekday * (0.15 + math.exp(-(((hour - 14) / 5) ** 2)))
        calls = int(strength + _chance(tenant.customer_id, f"calls{moment}"))
        for number in range(calls):
            yield _call(tenant, moment, number)
    for user in range(1 + int(tenant.size * 3)):
        if _chance(tenant.customer_id, f"user{user}{day}") < 0.6 * weekday:
            yield _event(tenant, "sign_in", day + timedelta(hours=8, minutes=user), user, {"user": f"user-{user}"})
    gigabytes = round(tenant.size * (4 + age * 0.4), 1)
    yield _event(tenant, "storage", day + timedelta(hours=1), 0, {"gigabytes": gigabytes})


def _call(tenant: _Tenant, moment: datetime, number: int) -> dict[str, Any]:
    chance = _chance(tenant.customer_id, f"model{moment}{number}")
    model = "small" if chance < 0.6 or tenant.plan_id == "plan_free" else "medium" if chance < 0.9 else "large"
    second = int(3600 * _chance(tenant.customer_id, f"second{moment}{number}"))
    tokens = int(800 * math.exp(5 * _chance(tenant.customer_id, f"tokens{moment}{number}")))
    status = "error" if _chance(tenant.customer_id, f"status{moment}{number}") < 0.01 else "ok"
    properties = {"model": model, "tokens": tokens, "status": status}
    return _event(tenant, "tokens", moment + timedelta(seconds=second), number, properties)


def _event(tenant: _Tenant, name: str, moment: datetime, number: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "idempotency_id": f"demo-{tenant.customer_id}-{name}-{moment:%Y%m%d%H%M%S}-{number}",
        "event_name": name,
        "customer_id": tenant.customer_id,
        "time_created": moment,
        "properties": properties,
    }


def _chance(who: str, what: str) -> float:
    """Return a number from 0 to 1 that looks random and is always the same for the same question."""
    return int.from_bytes(hashlib.blake2b(f"{who} {what}".encode(), digest_size=6).digest()) / 2**48
