"""Whatever is sent: a problem document that says what is wrong, nothing written, and a server that goes on."""

import gzip
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from lotus_server.domain.accounts import OrganizationType
from lotus_server.usecases.organizations import OrganizationDraft
from tests.server_process import ServerProcess
from tests.tenants import Tenant

LISTS = ("customers", "metrics", "features", "plans", "subscriptions", "invoices", "credits", "api_keys")
GZIP = {"Content-Encoding": "gzip"}
PICTOGRAPH = "\N{PILE OF POO}"


@pytest.fixture(scope="module")
def furnished(make_tenant: Callable[[OrganizationDraft], Tenant]) -> Tenant:
    """One of everything, in an organization whose clock stands. As nothing may change in it, one serves all tests."""
    draft = OrganizationDraft("Furnished", OrganizationType.SANDBOX, clock_now=datetime(2026, 1, 1, tzinfo=UTC))
    sandbox = make_tenant(draft)
    sandbox.metric()
    sandbox.feature()
    price = {"model": "per_unit", "unit_price": "0.01"}
    sandbox.plan(components=[{"metric_id": "calls", "price": price}], recurring_charges=[{"name": "Fee", "amount": 1}])
    sandbox.customer()
    sandbox.subscribe(subscription_id="mine")
    sandbox.use(1)
    return sandbox


def everything(tenant: Tenant) -> list[Any]:
    rows = [tenant.get(f"/api/{name}/") for name in LISTS]
    for row in rows[-1]:
        row["last_used"] = None
    return [*rows, tenant.drafts()]


@pytest.fixture(autouse=True)
def nothing_is_written_and_nothing_breaks(furnished: Tenant, server: ServerProcess) -> Iterator[None]:
    before, log = everything(furnished), len(server.log)
    yield
    assert everything(furnished) == before
    assert "Traceback" not in server.log[log:]


def refused(
    tenant: Tenant, path: str, content: bytes | str, status: int = 400, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """The problem document with which a body is refused."""
    method = "PATCH" if path.startswith("PATCH ") else "POST"
    response = tenant.client.request(method, path.removeprefix("PATCH "), content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), (
        response.text
    )
    document: dict[str, Any] = response.json()
    assert set(document) >= {"type", "title", "status", "detail", "validation_errors"}
    assert document["status"] == status
    return document


def fields(document: dict[str, Any]) -> list[str]:
    assert all(each["detail"] and each["code"] for each in document["validation_errors"])
    return sorted(each["field"] for each in document["validation_errors"])


BODIES = [
    "/api/customers/",
    "/api/batch_create_customers/",
    "/api/metrics/",
    "/api/features/",
    "/api/plans/",
    "/api/plans/pro/versions/",
    "/api/price_preview/",
    "/api/subscriptions/",
    "/api/subscriptions/add/",
    "/api/cancel_subscription/",
    "/api/credits/",
    "/api/api_keys/",
    "/api/clock/",
]
# These take an empty body; what is no JSON they refuse, too.
LENIENT = [
    "/api/subscriptions/mine/cancel/",
    "/api/subscriptions/mine/update/",
    "/api/subscriptions/cancel/?customer_id=acme&plan_id=pro",
    "PATCH /api/subscriptions/mine/",
]

BROKEN: dict[str, bytes] = {
    "cut off": b'{"customer_id": "a"',
    "two values": b'{"customer_id": "a"} {"customer_id": "b"}',
    "single quotes": b"{'customer_id': 'a'}",
    "NaN": b'{"customer_id": "a", "tax_rate": NaN}',
    "Infinity": b'{"customer_id": "a", "tax_rate": -Infinity}',
    "invalid UTF-8": b'{"customer_id": "\xff\xfe"}',
    "control character": b'{"customer_id": "a\x00b"}',
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"customer_id":"a","x":' * 70 + b"1" + b"}" * 70,
    "deep but not too deep for the parser": b'{"customer_id":5,"properties":' + b'{"a":' * 700 + b"1" + b"}" * 701,
    "a form": b"customer_id=a",
}


@pytest.mark.parametrize("path", [*BODIES, *LENIENT])
def test_what_is_no_json_is_refused(furnished: Tenant, path: str) -> None:
    for content in BROKEN.values():
        document = refused(furnished, path, content)

        assert document["title"] == "malformed_json"


@pytest.mark.parametrize("path", [*BODIES, *LENIENT])
@pytest.mark.parametrize("content", ["[]", "null", '"text"', "17", "true", "1e400"])
def test_json_that_is_no_object_is_refused(furnished: Tenant, path: str, content: str) -> None:
    assert refused(furnished, path, content)["title"] == "malformed_body"


@pytest.mark.parametrize("path", [path for path in BODIES if path != "/api/plans/pro/versions/"])
def test_an_empty_object_is_refused_with_what_is_missing(furnished: Tenant, path: str) -> None:
    assert fields(refused(furnished, path, "{}"))


WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "/api/customers/",
        {
            "customer_id": 5,
            "customer_name": ["x"],
            "email": "no at sign",
            "currency": "XXQ",
            "properties": [],
            "tax_rate": "much",
            "address": {"city": 7},
        },
        ["address.city", "currency", "customer_id", "customer_name", "email", "properties", "tax_rate"],
    ),
    ("/api/customers/", {"customer_id": ""}, ["customer_id"]),
    ("/api/customers/", {"customer_id": "x" * 201}, ["customer_id"]),
    ("/api/customers/", {"customer_id": f"smile {PICTOGRAPH}"}, ["customer_id"]),
    ("/api/customers/", {"customer_id": "line\nbreak"}, ["customer_id"]),
    ("/api/customers/", {"customer_id": " padded"}, ["customer_id"]),
    ("/api/customers/", {"customer_id": "zero\u200bwidth"}, ["customer_id"]),
    ("/api/customers/", {"customer_id": "new", "customer_name": "x" * 501}, ["customer_name"]),
    ("/api/customers/", {"customer_id": "new", "customer_name": "bell\x07"}, ["customer_name"]),
    ("/api/customers/", {"customer_id": "new", "tax_rate": 100.01}, ["tax_rate"]),
    ("/api/customers/", {"customer_id": "new", "tax_rate": -1}, ["tax_rate"]),
    ("/api/customers/", {"customer_id": "new", "tax_rate": True}, ["tax_rate"]),
    ("/api/customers/", {"customer_id": "new", "payment_provider": "stripe"}, ["payment_provider_id"]),
    ("/api/customers/", {"customer_id": "new", "payment_provider_id": "x" * 201}, ["payment_provider_id"]),
    ("/api/customers/", {"customer_id": "new", "properties": {"text": "x" * 33_000}}, ["properties"]),
    (
        "/api/batch_create_customers/",
        {"customers": [{"customer_id": 1}, {"customer_id": "fine"}, "nonsense"], "behavior_on_existing": "explode"},
        ["behavior_on_existing", "customers[0].customer_id", "customers[2]"],
    ),
    ("/api/batch_create_customers/", {"customers": []}, ["customers"]),
    ("/api/batch_create_customers/", {"customers": [{"customer_id": str(n)} for n in range(1_001)]}, ["customers"]),
    (
        "/api/metrics/",
        {"metric_name": 1, "event_name": None, "aggregation_type": "median", "filters": {}},
        ["aggregation_type", "event_name", "filters", "metric_name"],
    ),
    (
        "/api/plans/",
        {"plan_name": "", "plan_duration": "fortnightly", "currency": "XXQ", "components": [{"metric_id": "nothing"}]},
        ["components[0].metric_id", "components[0].price", "currency", "plan_duration", "plan_name"],
    ),
    (
        "/api/subscriptions/",
        {"customer_id": [], "start_date": "2026-02-30", "end_date": "someday", "auto_renew": "perhaps", "metadata": 1},
        ["auto_renew", "customer_id", "end_date", "metadata", "plan_id", "start_date"],
    ),
    (
        "/api/subscriptions/",
        {"customer_id": "acme", "billing_plan_id": "pro", "version_id": "x", "start_date": "2027-01-01"},
        ["plan_id"],
    ),
    (
        "/api/subscriptions/",
        {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2027-01-02", "end_date": "2027-01-01"},
        ["end_date"],
    ),
    ("/api/subscriptions/", {"customer_id": "acme", "billing_plan_id": "pro", "start_date": ""}, ["start_date"]),
    (
        "/api/subscriptions/",
        {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "1969-12-31"},
        ["start_date"],
    ),
    (
        "/api/subscriptions/",
        {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "9999-12-31"},
        ["start_date"],
    ),
    (
        "/api/subscriptions/",
        {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-01", "end_date": "9999-12-31"},
        ["end_date"],
    ),
    ("/api/subscriptions/", {"customer_id": "acme", "billing_plan_id": "pro", "start_date": "2026-01-15"}, ["plan_id"]),
    (
        "/api/subscriptions/",
        {
            "customer_id": "acme",
            "billing_plan_id": "pro",
            "start_date": "2027-01-01",
            "subscription_id": f"x{PICTOGRAPH}",
            "subscription_filters": [{"property_name": "region"}, {"value": "eu"}],
        },
        ["subscription_filters[0].value", "subscription_filters[1].property_name", "subscription_id"],
    ),
    (
        "/api/subscriptions/",
        {
            "customer_id": "acme",
            "billing_plan_id": "pro",
            "start_date": "2027-01-01",
            "subscription_filters": [{"property_name": str(n), "value": "x"} for n in range(21)],
        },
        ["subscription_filters"],
    ),
    ("/api/cancel_subscription/", {"subscription_id": 5, "bill_now": "perhaps"}, ["bill_now", "subscription_id"]),
    (
        "/api/subscriptions/mine/cancel/",
        {"flat_fee_behavior": "x", "usage_behavior": "y", "invoicing_behavior": "z"},
        ["flat_fee_behavior", "invoicing_behavior", "usage_behavior"],
    ),
    ("/api/subscriptions/mine/update/", {"end_date": "2025-12-01"}, ["end_date"]),
    ("/api/subscriptions/mine/update/", {"end_date": "9999-12-31"}, ["end_date"]),
    ("/api/subscriptions/mine/update/", {"end_date": "soon", "metadata": []}, ["end_date", "metadata"]),
    ("PATCH /api/subscriptions/mine/", {"status": "paused"}, ["replace_immediately_type", "status"]),
    ("/api/api_keys/", {"name": " ", "scope": "root"}, ["scope"]),
    ("/api/api_keys/", {"name": " "}, ["name"]),
    ("/api/clock/", {"now": ""}, ["now"]),
    ("/api/clock/", {"now": 1_800_000_000}, ["now"]),
    ("/api/clock/", {"now": "2026-W01"}, ["now"]),
    ("/api/clock/", {"now": "2200-01-01"}, ["now"]),
]


@pytest.mark.parametrize(("path", "body", "expected"), WRONG)
def test_every_wrong_field_is_named_at_once(
    furnished: Tenant, path: str, body: dict[str, Any], expected: list[str]
) -> None:
    assert fields(refused(furnished, path, json.dumps(body))) == expected


NUMBERS = ["1e400", "-1e400", "1e999999999", "1e9999999999999999999", "1e30", "1" + "0" * 30, "9" * 5_000, "1e-31"]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_beyond_thirty_digits_are_refused_where_they_stand(furnished: Tenant, number: str) -> None:
    tax = refused(furnished, "/api/customers/", f'{{"customer_id":"new","tax_rate":{number}}}')
    price = refused(
        furnished, "/api/price_preview/", f'{{"price":{{"model":"per_unit","unit_price":{number}}},"quantity":1}}'
    )
    free = refused(furnished, "/api/customers/", f'{{"customer_id":"new","properties":{{"a":[1,{number}]}}}}')
    metadata = refused(
        furnished,
        "/api/subscriptions/",
        f'{{"customer_id":"acme","plan_id":"pro","start_date":"2030-01-01","metadata":{{"a":{number}}}}}',
    )

    assert [fields(each) for each in (tax, price, free, metadata)] == [
        ["tax_rate"],
        ["price.unit_price"],
        ["properties.a[1]"],
        ["metadata.a"],
    ]


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\ud83d", r"\udca9 half", r"\ud83dx"])
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/customers/", '{"customer_id":"TEXT"}', "customer_id"),
        ("/api/customers/", '{"customer_id":"new","customer_name":"TEXT"}', "customer_name"),
        ("/api/customers/", '{"customer_id":"new","email":"a@TEXT"}', "email"),
        ("/api/customers/", '{"customer_id":"new","currency":"TEXT"}', "currency"),
        ("/api/customers/", '{"customer_id":"new","payment_provider_id":"TEXT"}', "payment_provider_id"),
        ("/api/customers/", '{"customer_id":"new","address":{"city":"TEXT"}}', "address.city"),
        ("/api/customers/", '{"customer_id":"new","properties":{"a":["b","TEXT"]}}', "properties.a[1]"),
        ("/api/batch_create_customers/", '{"customers":[{"customer_id":"TEXT"}]}', "customers[0].customer_id"),
        ("/api/metrics/", '{"metric_name":"TEXT","event_name":"x","aggregation_type":"count"}', "metric_name"),
        ("/api/features/", '{"feature_name":"TEXT"}', "feature_name"),
        ("/api/plans/", '{"plan_name":"TEXT","plan_duration":"monthly"}', "plan_name"),
        ("/api/cancel_subscription/", '{"subscription_id":"TEXT"}', "subscription_id"),
        ("/api/api_keys/", '{"name":"TEXT"}', "name"),
        ("/api/clock/", '{"now":"TEXT"}', "now"),
        ("/api/subscriptions/mine/update/", '{"metadata":{"a":"TEXT"}}', "metadata.a"),
    ],
)
def test_texts_that_cannot_be_kept_are_refused_where_they_stand(
    furnished: Tenant, path: str, body: str, field: str, text: str
) -> None:
    assert fields(refused(furnished, path, body.replace("TEXT", text))) == [field]


@pytest.mark.parametrize("key", [r"a\u0000", r"\ud83d"])
def test_keys_that_cannot_be_kept_are_refused(furnished: Tenant, key: str) -> None:
    document = refused(furnished, "/api/customers/", f'{{"customer_id":"new","properties":{{"{key}":1}}}}')

    assert fields(document)[0].startswith("properties.")


@pytest.mark.parametrize(
    "path",
    [
        "/api/customers/{}/",
        "/api/customers/{}/draft_invoice/",
        "/api/customer_detail/?customer_id={}",
        "/api/draft_invoice/?customer_id={}",
        "/api/customer_access/?customer_id={}&event_name=x",
        "/api/customer_access/?customer_id={}&feature_name=x",
        "/api/metric_access/?customer_id=acme&metric_id={}",
        "/api/feature_access/?customer_id=acme&feature_id={}",
        "/api/customer_metric_access/?customer_id={}&event_name=x",
        "/api/customer_feature_access/?customer_id={}&feature_name=x",
        "/api/plans/{}/",
        "/api/metrics/{}/",
        "/api/features/{}/",
        "/api/subscriptions/{}/",
        "/api/invoices/{}/",
    ],
)
@pytest.mark.parametrize("name", ["%00", "a%00b", "%FF%FE", "%ED%A0%80", "x" * 5_000, "%0A", "..%2F..", "%EE%80%80"])
def test_ids_that_nothing_can_have_are_not_found(furnished: Tenant, path: str, name: str) -> None:
    response = furnished.client.get(path.format(name))

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json"), response.text


@pytest.mark.parametrize("name", ["customers", "subscriptions", "plans", "metrics", "features", "invoices"])
@pytest.mark.parametrize("cursor", ["%00", "%FF", "x" * 501, "%ED%A0%80"])
def test_cursors_that_are_none_are_refused_or_lead_nowhere(furnished: Tenant, name: str, cursor: str) -> None:
    response = furnished.client.get(f"/api/{name}/?limit=5&cursor={cursor}")

    assert response.status_code in {200, 400}, response.text


@pytest.mark.parametrize("path", ["/api/subscriptions/?customer_id=%00", "/api/invoices/?customer_id=%00"])
def test_filters_that_nothing_can_match_match_nothing(furnished: Tenant, path: str) -> None:
    response = furnished.client.get(path)

    assert (response.status_code, response.json()) == (200, [])


# events


EVENTS: dict[str, tuple[bytes, int]] = {
    "cut off": (b'{"batch":[{"event_name":"calls"', 400),
    "text": (b"hello", 400),
    "number": (b"17", 400),
    "null": (b"null", 400),
    "nothing": (b"", 400),
    "invalid UTF-8": (b'[{"event_name":"calls","customer_id":"\xff"}]', 400),
    "batch that is no list": (b'{"batch":{}}', 400),
    "NaN": (b'[{"event_name":"calls","customer_id":"acme","properties":{"n":NaN}}]', 400),
    "deep": (b'[{"event_name":"calls","customer_id":"acme","properties":' + b'{"a":' * 500 + b"1" + b"}" * 502, 400),
    "very deep": (b"[" * 200_000, 400),
    "huge number": (b'[{"event_name":"calls","customer_id":"acme","properties":{"n":1e400}}]', 400),
    "long number": (b'[{"event_name":"calls","customer_id":"acme","properties":{"n":1' + b"0" * 30 + b"}}]", 400),
    "NUL": (rb'[{"event_name":"calls","customer_id":"acme","properties":{"n":"\u0000"}}]', 400),
    "NUL in id": (rb'[{"event_name":"calls","customer_id":"ac\u0000me"}]', 400),
    "half a pair": (rb'[{"event_name":"calls","customer_id":"acme","properties":{"n":"\ud83d"}}]', 400),
    "pictograph": ('[{"event_name":"calls","customer_id":"acme","idempotency_id":"💩"}]'.encode(), 400),
    "long id": (b'[{"event_name":"calls","customer_id":"acme","idempotency_id":"' + b"x" * 201 + b'"}]', 400),
    "properties of 33 KiB": (
        b'[{"event_name":"calls","customer_id":"acme","properties":{"t":"' + b"x" * 33 * 1024 + b'"}}]',
        400,
    ),
    "10,001 events": (b"[" + b",".join([b'{"event_name":"x","customer_id":"acme"}'] * 10_001) + b"]", 413),
    "no event": (b"{}", 400),
    "far ahead": (b'[{"event_name":"calls","customer_id":"acme","time_created":"9999-12-31"}]', 400),
    "no time": (b'[{"event_name":"calls","customer_id":"acme","time_created":"2026-02-30"}]', 400),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events_that_cannot_be_kept_are_refused(furnished: Tenant, name: str) -> None:
    content, status = EVENTS[name]

    refused(furnished, "/api/track/", content, status)


# packing and size


def test_a_body_over_ten_megabytes_is_refused(furnished: Tenant) -> None:
    content = b'{"batch":[],"pad":"' + b"x" * 10_000_000 + b'"}'

    for path in ("/api/track/", "/api/customers/"):
        assert refused(furnished, path, content, 413)["title"] in {"body_too_large", "too_large"}


def test_a_body_over_ten_megabytes_is_refused_when_its_size_is_not_announced(
    furnished: Tenant, server: ServerProcess
) -> None:
    chunks = [b'{"pad":"', *[b"x" * 1_000_000] * 11, b'"}']
    headers = {"X-API-KEY": furnished.api_key, "Transfer-Encoding": "chunked"}

    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", "/api/customers/", iter(chunks), headers, encode_chunked=True)
        status = connection.getresponse().status

    assert status == 413


def test_a_client_that_sends_much_too_much_still_gets_its_answer(furnished: Tenant, server: ServerProcess) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request("POST", "/api/track/", b"x" * 40_000_000, {"X-API-KEY": furnished.api_key})
        status = connection.getresponse().status

    assert status == 413


@pytest.mark.parametrize("path", ["/api/track/", "/api/customers/"])
@pytest.mark.parametrize(
    "content",
    [
        b"not gzip",
        gzip.compress(b'{"batch":[]}', mtime=0)[:-9],
        b"",
        b"\x1f\x8b",
        gzip.compress(b"{}", mtime=0) + b"trailing",
    ],
)
def test_broken_gzip_is_refused(furnished: Tenant, path: str, content: bytes) -> None:
    assert refused(furnished, path, content, headers=GZIP)["title"] in {
        "malformed_gzip",
        "malformed_json",
    }


@pytest.mark.parametrize("path", ["/api/track/", "/api/customers/"])
def test_a_gzip_bomb_is_refused(furnished: Tenant, path: str) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 9)

    refused(furnished, path, bomb, 413, headers=GZIP)


# methods and paths


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/track/"),
        ("PUT", "/api/track/"),
        ("POST", "/api/customer_access/"),
        ("DELETE", "/api/metric_access/"),
        ("DELETE", "/api/customers/"),
        ("PUT", "/api/plans/pro/"),
        ("GET", "/api/cancel_subscription/"),
        ("PATCH", "/api/clock/"),
        ("NONSENSE", "/api/customers/"),
    ],
)
def test_a_wrong_method_is_refused(furnished: Tenant, method: str, path: str) -> None:
    response = furnished.client.request(method, path)

    assert (response.status_code, response.json()["title"]) == (405, "method_not_allowed")
    assert response.headers["allow"]


@pytest.mark.parametrize("path", ["/api/", "/api/nothing/", "/api/customers/acme/nothing/", "/api/plans/pro/x/y/"])
def test_an_unknown_path_is_not_found(furnished: Tenant, path: str) -> None:
    response = furnished.client.get(path)

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("status", ["overdue", "", "PAID"])
def test_a_wrong_payment_status_is_refused(furnished: Tenant, status: str) -> None:
    (invoice,) = furnished.invoices()

    document = refused(
        furnished, f"PATCH /api/invoices/{invoice['invoice_id']}/", json.dumps({"payment_status": status})
    )

    assert fields(document) == ["payment_status"]


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/customers/ HTTP/9.9\r\n\r\n",
        b"POST /api/track/ HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/track/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50,
        b"GET /api/customers/ HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 1_000_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_its_own_connection_only(server: ServerProcess, bytes_sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        try:
            connection.sendall(bytes_sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1_000)
        except OSError:
            answer = b""

    assert b" 500 " not in answer
    assert server.is_answering()


def test_a_body_that_never_arrives_whole_is_forgotten(furnished: Tenant, server: ServerProcess) -> None:
    head = f"POST /api/track/ HTTP/1.1\r\nHost: x\r\nX-API-KEY: {furnished.api_key}\r\nContent-Length: 500\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(head.encode() + b'{"batch":[')

    assert server.is_answering()
