"""Plans in JSON."""

from typing import Any, Final

from pydantic import ConfigDict, Field
from typing_extensions import override

from lotus_server.domain.catalog import ExternalLink, Tag
from lotus_server.kernel.errors import Problems
from lotus_server.kernel.instants import to_text
from lotus_server.kernel.period import Duration
from lotus_server.usecases.plans import PlanChange, PlanDraft, PlanView
from lotus_server.wire.fields import INTERVALS
from lotus_server.wire.forms import Form, Text, choice, required
from lotus_server.wire.versions import VersionForm, version_row

_DURATIONS: Final = {duration.value: duration for duration in Duration} | {
    name: duration for duration, name in INTERVALS.items()
}


class LinkForm(Form):
    """What the plan is called in another system."""

    source: Text = Field(None, description="The other system, such as stripe.")
    external_plan_id: Text = None


class PlanForm(VersionForm):
    """A plan to be made, with the terms of its first version."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, json_schema_extra={"required": ["plan_name", "plan_duration"]}
    )

    plan_id: Text = Field(None, description="Made when missing.")
    billing_plan_id: Text = Field(None, description="Another name for plan_id.")
    plan_name: Text = None
    name: Text = Field(None, description="Another name for plan_name.")
    description: Text = None
    plan_description: Text = Field(None, description="Another name for description.")
    plan_duration: Text = Field(None, description=f"One of {', '.join(Duration)}.")
    interval: Text = Field(None, description=f"Another name for plan_duration: {', '.join(INTERVALS.values())}.")
    tags: list[Any] | None = Field(None, description="Names, or objects with tag_name, tag_hex and tag_color.")
    external_links: list[LinkForm] | None = Field(None, description="What the plan is called in other systems.")

    @override
    @classmethod
    def arranged(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the payload with the terms that the last form of the original has within `initial_version`."""
        version = payload.get("initial_version")
        return version | payload if isinstance(version, dict) else payload

    def to_draft(self, problems: Problems) -> PlanDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        name = self.plan_name if self.plan_name is not None else self.name
        length = self.plan_duration if self.plan_duration is not None else self.interval
        if length is None:
            problems.add("plan_duration", "required", "plan_duration is required.")
        plan_name = required(problems, "plan_name", name)
        duration = choice(problems, "plan_duration", length, _DURATIONS, Duration.MONTHLY)
        description = self.description if self.description is not None else self.plan_description
        tags, links = _tags(self.tags or [], problems), _links(self.external_links or [], problems)
        return PlanDraft(
            plan_name=plan_name,
            duration=duration,
            version=self.to_version_draft(problems),
            plan_id=self.plan_id if self.plan_id is not None else self.billing_plan_id,
            description=description or "",
            tags=tags,
            external_links=links,
        )


class PlanChangeForm(Form):
    """New values of a plan itself; what is not given, or null, stays as it is."""

    plan_name: Text = None
    name: Text = Field(None, description="Another name for plan_name.")
    description: Text = None
    plan_description: Text = Field(None, description="Another name for description.")
    tags: list[Any] | None = Field(None, description="Names, or objects with tag_name, tag_hex and tag_color.")
    external_links: list[LinkForm] | None = Field(None, description="What the plan is called in other systems.")

    def to_change(self, problems: Problems) -> PlanChange:
        """Return the change; it carries everything that is wrong with the form, besides what the use case will find."""
        tags = None if self.tags is None else _tags(self.tags, problems)
        links = None if self.external_links is None else _links(self.external_links, problems)
        return PlanChange(
            plan_name=self.plan_name if self.plan_name is not None else self.name,
            description=self.description if self.description is not None else self.plan_description,
            tags=tags,
            external_links=links,
            problems=problems.found,
        )


def _tags(given: list[Any], problems: Problems) -> tuple[Tag, ...]:
    """Return tags, each once; what is wrong with one is added to `problems`."""
    tags: dict[str, Tag] = {}
    for index, value in enumerate(given):
        row = {"tag_name": value} if isinstance(value, str) else value
        if not isinstance(row, dict):
            problems.add(f"tags[{index}]", "invalid", "A tag is a name, or an object with a tag_name.")
            continue
        texts = [row.get(key) for key in ("tag_name", "tag_hex", "tag_color")]
        if any(text is not None and not isinstance(text, str) for text in texts):
            problems.add(f"tags[{index}]", "invalid", "tag_name, tag_hex and tag_color must be texts.")
            continue
        tag = Tag(*(text or "" for text in texts))
        tags.setdefault(tag.name, tag)
    return tuple(tags.values())


def _links(forms: list[LinkForm], problems: Problems) -> tuple[ExternalLink, ...]:
    return tuple(
        ExternalLink(
            required(problems, f"external_links[{index}].source", form.source),
            required(problems, f"external_links[{index}].external_plan_id", form.external_plan_id),
        )
        for index, form in enumerate(forms)
    )


def plan_row(view: PlanView) -> dict[str, Any]:
    """Return a plan as it is shown: the keys of every generation of clients in one row, null where nothing is to say.

    What the first clients read on the plan itself (price, components, features) is that of the current version.
    """
    plan, current = view.plan, view.current_version
    shown = version_row(view, current)
    active = sum(view.active_subscriptions.get(version.version_id, 0) for version in view.versions)
    return {
        "billing_plan_id": plan.plan_id,
        "name": plan.plan_name,
        "description": plan.description,
        "currency": current.currency,
        "interval": INTERVALS[plan.duration],
        "flat_rate": current.flat_rate,
        "pay_in_advance": current.is_paid_in_advance,
        "components": shown["components"],
        "features": shown["features"],
        "time_created": plan.created_at.date().isoformat(),
        "active_subscriptions": active,
        "plan_id": plan.plan_id,
        "plan_name": plan.plan_name,
        "plan_duration": plan.duration.value,
        "plan_description": plan.description,
        "status": "archived" if plan.archived else "active",
        "external_links": [
            {"source": link.source, "external_plan_id": link.external_plan_id} for link in plan.external_links
        ],
        "tags": [{"tag_name": tag.name, "tag_hex": tag.hex, "tag_color": tag.color} for tag in plan.tags],
        "parent_plan": None,
        "target_customer": None,
        "taxjar_code": None,
        "created_on": to_text(plan.created_at),
        "created_by": None,
        "display_version": shown,
        "versions": [version_row(view, version) for version in view.versions],
        "num_versions": len(view.versions),
        "active_version": current.version,
    }
