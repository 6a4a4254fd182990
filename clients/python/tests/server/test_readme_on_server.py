"""The Python of the README does what it says on a real server."""

import pytest
import readme_blocks
from lotus_world import World, make_world

import lotus

pytestmark = pytest.mark.server


def test_every_block_runs(create, capsys):
    ids = readme_blocks.fresh_ids()
    world = World(
        plan=ids["billing_plan_5"],
        event=ids["api_call"],
        feature=ids["feature_123"],
        customer=ids["customer_123"],
        metric=ids["metric_123"],
    )
    make_world(create, world)

    readme_blocks.run(ids)

    lotus.shutdown()
    printed = capsys.readouterr().out
    assert "accepted=250" in printed
    assert "exists already:" in printed
