"""Settings come from arguments, then the environment, then the defaults."""

import re
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from lotus_fake import API_KEY

import lotus
from lotus._options import Options, read_options

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize("host", ["http://lotus.test", "http://lotus.test/", "http://lotus.test///"])
def test_the_host_may_end_in_a_slash(fake, host):
    with lotus.Lotus(API_KEY, host=host, transport=fake.transport()) as client:
        client.get_plans()

    assert "/api/plans/" == fake.seen[0].path


def test_the_host_may_have_a_path():
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(200, json=[])

    with lotus.Lotus(API_KEY, host="https://a.test/lotus/", transport=httpx.MockTransport(answer)) as client:
        client.get_plans()

    assert ["https://a.test/lotus/api/plans/"] == asked


def test_arguments_come_before_the_environment_and_that_before_the_defaults():
    environment = {"LOTUS_API_KEY": "from-env", "LOTUS_HOST": "http://env.test/"}

    assert (
        "given",
        "http://given.test",
    ) == _key_host(read_options("given", {"host": "http://given.test"}, environment))
    assert ("from-env", "http://env.test") == _key_host(read_options(None, {"host": None}, environment))
    assert ("given", "https://api.uselotus.io") == _key_host(read_options("given", {}, {}))


def test_a_client_reads_the_environment(monkeypatch, fake):
    monkeypatch.setenv("LOTUS_API_KEY", API_KEY)
    monkeypatch.setenv("LOTUS_HOST", "http://lotus.test")
    with lotus.Lotus(transport=fake.transport()) as client:
        client.get_plans()

    assert API_KEY == fake.seen[0].headers["x-api-key"]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, ["api_key"]),
        ({"api_key": "a\nb"}, ["api_key"]),
        ({"api_key": "k", "host": "lotus.test"}, ["host"]),
        ({"api_key": "k", "host": "http://"}, ["host"]),
        ({"api_key": "k", "host": "http://a b"}, ["host"]),
        ({"api_key": "k", "host": 5}, ["host"]),
        ({"api_key": "k", "flush_at": 0, "max_retries": -1}, ["flush_at", "max_retries"]),
        ({"api_key": "k", "max_batch_size": 10_001}, ["max_batch_size"]),
        ({"api_key": "k", "timeout_seconds": 0}, ["timeout_seconds"]),
        ({"api_key": "k", "flush_interval_seconds": float("inf")}, ["flush_interval_seconds"]),
        ({"api_key": "k", "gzip_threshold_bytes": "1"}, ["gzip_threshold_bytes"]),
        ({"api_key": "k", "flush_every": 5}, ["flush_every"]),
    ],
)
@pytest.mark.parametrize("kind", [lotus.Lotus, lotus.AsyncLotus])
def test_every_unusable_setting_is_named_at_once(kind, options, wrong):
    with pytest.raises(lotus.ValidationError) as raised:
        kind(**options)

    assert wrong == [each["field"] for each in raised.value.validation_errors]


def test_edges_are_allowed():
    read_options("k", {"max_batch_size": 10_000, "flush_interval_seconds": 0, "max_retries": 0}, {})
    read_options("k", {"gzip_threshold_bytes": None}, {})


def test_the_key_is_not_shown():
    client = lotus.Lotus("very-secret", host="http://lotus.test")

    assert "very-secret" not in repr(client) + repr(client._core.options)
    client.close()


def test_every_option_is_in_the_readme_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", README.read_text(), re.MULTILINE))
    defaults = {each.name: each.default for each in fields(Options) if each.name not in ("api_key", "host")}

    assert {*defaults, "api_key", "host", "transport", "on_error"} == rows.keys()
    assert defaults == {name: float(rows[name].replace(",", "").strip("` ")) for name in defaults}


def _key_host(options):
    return options.api_key, options.host
