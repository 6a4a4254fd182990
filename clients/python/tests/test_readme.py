"""The README is right: its Python runs, and it names everything that is public."""

import readme_blocks
from lotus_fake import API_KEY

import lotus


def test_every_block_runs(monkeypatch, local, fake, capsys):
    monkeypatch.setenv("LOTUS_API_KEY", API_KEY)
    monkeypatch.setenv("LOTUS_HOST", local)
    ids = readme_blocks.fresh_ids()
    metric_id = ids["metric_123"]
    metric = {"metric_id": metric_id, "metric_name": "calls", "event_name": ids["api_call"], "property_name": "tokens"}
    fake.metrics[metric_id] = metric
    plan = ids["billing_plan_5"]
    component = {
        "metric_id": metric_id,
        "price": {"model": "per_unit", "unit_price": "0.10", "free_units": 10},
        "limit": 100,
    }
    fake.plans[plan] = {
        "billing_plan_id": plan,
        "name": "Five",
        "components": [component],
        "features": [ids["feature_123"]],
    }

    readme_blocks.run(ids)

    assert "accepted=250" in capsys.readouterr().out
    lotus.shutdown()
    assert 1 + 1 + 1 + 1 + 250 == len(fake.events)  # module, explicit id, mapping, asyncio, the batch


def test_every_error_and_call_is_mentioned():
    text = readme_blocks.README.read_text()
    names = [name for name in lotus.__all__ if name.islower() or isinstance(getattr(lotus, name), type)]
    names = [name for name in names if name.islower() or issubclass(getattr(lotus, name), lotus.LotusError)]

    assert [] == [name for name in names if name not in text and not name.startswith("_")]
