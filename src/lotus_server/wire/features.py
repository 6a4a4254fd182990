"""Features in JSON."""

from typing import Any

from pydantic import ConfigDict, Field

from lotus_server.domain.catalog import Feature
from lotus_server.kernel.errors import Problems
from lotus_server.usecases.features import FeatureDraft
from lotus_server.wire.forms import Form, Text, required


class FeatureForm(Form):
    """A feature to be made."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"required": ["feature_name"]})

    feature_id: Text = Field(None, description="Made when missing.")
    feature_name: Text = None
    feature_description: Text = None

    def to_draft(self, problems: Problems) -> FeatureDraft:
        """Return the draft; it carries everything that is wrong with the form, besides what the use case will find."""
        return FeatureDraft(
            feature_name=required(problems, "feature_name", self.feature_name),
            feature_id=self.feature_id,
            feature_description=self.feature_description or "",
            problems=problems.found,
        )


def feature_row(feature: Feature) -> dict[str, Any]:
    """Return a feature as it is shown."""
    return {
        "feature_id": feature.feature_id,
        "feature_name": feature.feature_name,
        "feature_description": feature.feature_description,
        "status": "archived" if feature.archived else "active",
    }
