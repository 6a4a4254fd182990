"""Every unsuccessful answer becomes the error of its kind."""

import copy
import pickle

import pytest
from lotus_fake import Answer, problem

import lotus
from lotus import errors

TREE = {
    "LotusError": "Exception",
    "LotusConnectionError": "LotusError",
    "LotusTimeoutError": "LotusConnectionError",
    "ApiError": "LotusError",
    "AuthenticationError": "ApiError",
    "NotFoundError": "ApiError",
    "ConflictError": "ApiError",
    "ValidationError": "ApiError",
    "RateLimitError": "ApiError",
    "ServerError": "ApiError",
    "EventRejectedError": "LotusError",
    "QueueFullError": "LotusError",
}


def test_the_tree_is_the_one_that_is_drawn():
    classes = [kind for kind in vars(errors).values() if getattr(kind, "__module__", "") == errors.__name__]
    classes = [kind for kind in classes if isinstance(kind, type)]

    assert TREE == {kind.__name__: kind.__base__.__name__ for kind in classes}
    assert all(name in errors.__doc__ for name in TREE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, lotus.ValidationError),
        (401, lotus.AuthenticationError),
        (403, lotus.ApiError),
        (404, lotus.NotFoundError),
        (409, lotus.ConflictError),
        (413, lotus.ApiError),
        (422, lotus.ValidationError),
        (429, lotus.RateLimitError),
        (500, lotus.ServerError),
        (503, lotus.ServerError),
        (308, lotus.ApiError),
    ],
)
def test_the_status_decides_the_type(client, fake, status, kind):
    found = [{"field": "a", "code": "wrong", "detail": "is wrong"}]
    fake.misbehaviour.extend([problem(status, "some_code", "Some detail.", validation_errors=found)] * 4)

    with pytest.raises(lotus.ApiError) as raised:
        client.get_plans()

    error = raised.value
    assert kind is type(error)
    assert (status, "some_code", "Some detail.", found) == (
        error.status,
        error.code,
        error.detail,
        error.validation_errors,
    )
    assert "req_1" == error.request_id
    assert "some_code" == error.body["title"]
    assert f"[req_1] {status} some_code: Some detail. (a: is wrong)" == str(error)


@pytest.mark.parametrize(
    ("answer", "code", "detail", "body"),
    [
        (Answer(404, b"<h1>nope</h1>"), "http_404", "<h1>nope</h1>", "<h1>nope</h1>"),
        (Answer(404, b""), "http_404", "an empty body", None),
        (Answer(404, {"detail": "Not found."}), "http_404", "Not found.", {"detail": "Not found."}),
        (Answer(404, [1]), "http_404", "[1]", [1]),
        (
            Answer(404, {"title": None, "validation_errors": "x"}),
            "http_404",
            None,
            {"title": None, "validation_errors": "x"},
        ),
    ],
)
def test_an_answer_without_a_problem_document_still_makes_an_error(client, fake, answer, code, detail, body):
    fake.misbehaviour.append(answer)

    with pytest.raises(lotus.NotFoundError) as raised:
        client.get_plans()

    assert (code, body, []) == (raised.value.code, raised.value.body, raised.value.validation_errors)
    assert detail is None or detail == raised.value.detail


@pytest.mark.parametrize(
    "error",
    [
        lotus.RateLimitError("slow down", status=429, code="rate_limited", request_id="r", retry_after_seconds=9.0),
        lotus.EventRejectedError("too late", status="conflict", idempotency_id="e1"),
        lotus.LotusTimeoutError("too slow"),
    ],
)
@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_can_be_copied_and_pickled(error, again):
    copied = again(error)

    assert (type(error), str(error), vars(error)) == (type(copied), str(copied), vars(copied))
