"""May this customer do this now: the hot questions, for every generation of clients."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from lotus_server.domain.access import (
    ComponentUsage,
    Entitlements,
    LimitType,
    MeteredComponent,
    decide,
)
from lotus_server.domain.accounts import Organization, Scope
from lotus_server.domain.metering import Metric
from lotus_server.http.json_reply import encode
from lotus_server.http.requests import Reply, Request
from lotus_server.http.scopes import require_scope
from lotus_server.kernel.errors import Problems
from lotus_server.usecases.access import (
    AccessCache,
    active_components,
    load_entitlements,
    read_usages,
    subscriptions_with_feature,
    usages_at_hand,
)
from lotus_server.usecases.features import get_feature
from lotus_server.usecases.metrics import get_metric
from lotus_server.usecases.services import Services, present
from lotus_server.wire import access as wire

Handler = Callable[[Request], Awaitable[Reply]]


class AccessPaths:
    """The five URLs under which clients ask about access."""

    def __init__(self, services: Services, cache: AccessCache) -> None:
        """Answer from the cache and the kept aggregates."""
        self._services = services
        self._cache = cache

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers by method and path."""
        return {
            ("GET", "/api/customer_access/"): self.customer_access,
            ("GET", "/api/metric_access/"): self.metric_access,
            ("GET", "/api/feature_access/"): self.feature_access,
            ("GET", "/api/customer_metric_access/"): self.customer_metric_access,
            ("GET", "/api/customer_feature_access/"): self.customer_feature_access,
        }

    async def customer_access(self, request: Request) -> Reply:
        """Answer the seed's question: an event with a limit type, or a feature."""
        question = wire.customer_question(request.query())
        ask = await self._ask(request, question.customer_id)
        if question.feature_name is not None:
            held = subscriptions_with_feature(ask.entitlements, ask.now, feature_name=question.feature_name)
            return _reply(wire.feature_answer(held))
        usages = await self._usages(ask, event_name=question.event_name)
        return _reply(wire.event_answer(decide(usages, question.limit_type), question.limit_type))

    async def metric_access(self, request: Request) -> Reply:
        """Answer for one metric, per subscription."""
        query = request.query()
        customer_id, metric_id = _required(query, "customer_id", "metric_id")
        ask = await self._ask(request, customer_id)
        metric = await self._metric(ask, metric_id)
        usages = await self._usages(ask, metric_id=metric_id)
        decision = decide(wire.matching(usages, query), LimitType.TOTAL)
        return _reply(wire.metric_answer(ask.entitlements, metric, decision, ask.now))

    async def feature_access(self, request: Request) -> Reply:
        """Answer for one feature, per subscription."""
        query = request.query()
        customer_id, feature_id = _required(query, "customer_id", "feature_id")
        ask = await self._ask(request, customer_id)
        feature = await asyncio.to_thread(get_feature, self._services, ask.organization, feature_id)
        found = subscriptions_with_feature(ask.entitlements, ask.now, feature_id=feature.feature_id)
        held = wire.matching_subscriptions(found, query)
        return _reply(wire.feature_answer_by_subscription(ask.entitlements, feature, held, ask.now))

    async def customer_metric_access(self, request: Request) -> Reply:
        """Answer for an event or a metric, as a row per subscription."""
        query = request.query()
        question = wire.metric_question(query)
        ask = await self._ask(request, question.customer_id)
        usages = await self._usages(ask, event_name=question.event_name, metric_id=question.metric_id)
        return _reply(wire.metric_rows(ask.entitlements, wire.matching(usages, query), ask.now))

    async def customer_feature_access(self, request: Request) -> Reply:
        """Answer for a feature, as a row per subscription."""
        customer_id, feature_name = _required(request.query(), "customer_id", "feature_name")
        ask = await self._ask(request, customer_id)
        held = subscriptions_with_feature(ask.entitlements, ask.now, feature_name=feature_name)
        return _reply(wire.feature_rows(ask.entitlements, feature_name, held, ask.now))

    async def _ask(self, request: Request, customer_id: str) -> "_Ask":
        """Return who is asked about, from the cache if possible."""
        require_scope(request.principal, Scope.READ)
        organization = request.principal.organization
        now = present(self._services, organization)
        entitlements = self._cache.entitlements(organization.organization_id, customer_id)
        if entitlements is None:
            as_of = self._cache.changes_seen
            entitlements = await asyncio.to_thread(load_entitlements, self._services, organization, customer_id)
            self._cache.keep_entitlements(organization.organization_id, entitlements, as_of)
        return _Ask(organization, entitlements, now)

    async def _usages(
        self, ask: "_Ask", *, event_name: str | None = None, metric_id: str | None = None
    ) -> tuple[ComponentUsage, ...]:
        held: list[MeteredComponent] = active_components(
            ask.entitlements, ask.now, event_name=event_name, metric_id=metric_id
        )
        usages = usages_at_hand(self._services, ask.organization, held, ask.now)
        if usages is None:
            usages = await asyncio.to_thread(read_usages, self._services, ask.organization, held, ask.now)
        return usages

    async def _metric(self, ask: "_Ask", metric_id: str) -> Metric:
        for held in ask.entitlements.components:
            if held.metric.metric_id == metric_id:
                return held.metric
        return await asyncio.to_thread(get_metric, self._services, ask.organization, metric_id)


class _Ask(msgspec.Struct, frozen=True):
    organization: Organization
    entitlements: Entitlements
    now: datetime


def _reply(payload: object) -> Reply:
    return Reply(200, encode(payload))


def _required(query: dict[str, str], *names: str) -> tuple[str, ...]:
    problems = Problems()
    for name in names:
        if not query.get(name):
            problems.add(name, "required", f"{name} is required.")
    problems.raise_if_any()
    return tuple(query[name] for name in names)
