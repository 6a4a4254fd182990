"""The functions of the module share one client, and what is public is exported."""

import inspect
import os
import re
import threading
from pathlib import Path

import pytest
from lotus_fake import API_KEY

import lotus

CALLS = [
    "track_event",
    "get_customers",
    "create_customer",
    "get_current_usage",
    "get_plans",
    "get_subscriptions",
    "create_subscription",
    "cancel_subscription",
    "get_customer_access",
]


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    for name in ("api_key", "host", "on_error", "default_client"):
        monkeypatch.setattr(lotus, name, None)
    yield
    lotus.shutdown()


def test_key_and_host_are_set_on_the_module(local, fake):
    lotus.api_key = API_KEY
    lotus.host = local + "/"
    lotus.create_customer(customer_id="c1", customer_name="One")
    handle = lotus.track_event({"eventName": "e", "customerId": "c1"})
    lotus.flush()

    assert "accepted" == handle.result(timeout=10).status
    assert ["c1"] == [row["customer_id"] for row in lotus.get_customers()]
    assert 1 == len({seen.connection for seen in fake.seen[::2]})


def test_key_and_host_may_come_from_the_environment(local, monkeypatch):
    monkeypatch.setenv("LOTUS_API_KEY", API_KEY)
    monkeypatch.setenv("LOTUS_HOST", local)

    assert [] == lotus.get_plans()


def test_without_a_key_the_first_call_says_so():
    with pytest.raises(lotus.ValidationError, match="LOTUS_API_KEY"):
        lotus.get_plans()


def test_a_client_with_other_options_can_be_put_in_place(client):
    lotus.default_client = client

    assert [] == lotus.get_plans()


def test_changed_settings_take_effect_and_nothing_waiting_is_lost(local, fake):
    lotus.api_key, lotus.host = "revoked", local
    with pytest.raises(lotus.AuthenticationError):
        lotus.get_plans()
    lotus.api_key = API_KEY
    lotus.track_event(event_name="e", customer_id="c")
    lotus.on_error = lambda *_: None
    assert [] == lotus.get_plans()

    assert 1 == len(fake.events)


def test_shutdown_sends_what_waits_and_the_next_call_starts_again(local, fake):
    lotus.api_key, lotus.host = API_KEY, local
    lotus.track_event(event_name="e", customer_id="c")
    lotus.shutdown()
    assert 1 == len(fake.events)

    assert [] == lotus.get_plans()


def test_threads_that_start_together_get_the_same_client(local):
    lotus.api_key, lotus.host = API_KEY, local
    barrier, clients = threading.Barrier(8), []

    def work():
        barrier.wait(10)
        clients.append(lotus._client())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(set(clients))


@pytest.mark.parametrize("call", CALLS)
def test_each_call_is_there_three_times_with_the_same_parameters(call):
    shapes = [
        [parameter for parameter in inspect.signature(each).parameters.values() if parameter.name != "self"]
        for each in (getattr(lotus, call), getattr(lotus.Lotus, call), getattr(lotus.AsyncLotus, call))
    ]

    assert shapes[0] == shapes[1] == shapes[2]


def test_every_public_name_is_exported_in_order():
    exported = [name for name in lotus.__all__ if name != "__version__"]
    modules = {name for name, value in vars(lotus).items() if inspect.ismodule(value)}
    settings = {"api_key", "host", "on_error", "default_client"}
    helpers = {"annotations", "TYPE_CHECKING", "Any"}
    public = {name for name in vars(lotus) if not name.startswith("_")} - modules - settings - helpers

    assert public == set(exported)
    assert sorted(lotus.__all__) == lotus.__all__
    assert set(CALLS) <= public


def test_every_error_is_exported():
    names = {name for name in vars(lotus.errors) if name.endswith("Error")}

    assert names <= set(lotus.__all__)


def test_public_names_and_methods_are_documented():
    aliases = {"JsonObject", "OnError"}  # a string below them says what they are
    for name in set(lotus.__all__) - aliases:
        assert getattr(lotus, name).__doc__, name
    for kind in (lotus.Lotus, lotus.AsyncLotus):
        for name, value in vars(kind).items():
            assert name.startswith("_") or value.__doc__, name


def test_the_version_is_that_of_the_distribution():
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()

    assert re.search(r'^version = "(.+)"$', text, re.MULTILINE)[1] == lotus.__version__
    assert (Path(lotus.__file__).parent / "py.typed").exists()


def test_importing_starts_nothing():
    assert "lotus" not in [thread.name for thread in threading.enumerate()]
    assert os.environ.get("LOTUS_API_KEY") is None
