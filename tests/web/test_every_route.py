"""Every page and form: nobody, strangers, forms from elsewhere and viewers get nowhere, whoever wrote the page."""

import re
from collections.abc import Callable, Iterator

import pytest

from lotus_server.domain.accounts import Organization, Role
from lotus_server.http.web.pages import AREAS
from tests.web.harness import Pages

# What a form asks or shows without changing anything; who only reads may send it.
ASKS_ONLY = {"metrics/preview", "settings/invoices/specimen"}


def routes(of: str, method: str) -> Iterator[str]:
    """The paths of all pages of a kind, their parts filled with what is not there."""
    for area in AREAS:
        if area.of == of:
            for each in area.paths(method):
                yield re.sub(r"\{[^}]*\}", "not-there", each).removeprefix("/")


def test_there_are_pages_of_each_kind() -> None:
    assert len(set(routes("organization", "GET"))) > 20
    assert "account/" in set(routes("person", "GET"))
    assert "sign-in" in set(routes("anyone", "POST"))


def test_nobody_is_led_to_sign_in_whatever_the_page(pages: Callable[..., Pages], organization: Organization) -> None:
    nobody, handle = pages(nobody=True), organization.organization_id[-8:]
    paths = [f"/o/{handle}/{path}" for path in routes("organization", "GET")]
    paths += [f"/{path}" for path in routes("person", "GET")]

    answers = {path: nobody.get(path) for path in paths}
    others = {path for path, answer in answers.items() if not answer.headers.get("location", "").startswith("/sign-in")}
    assert others == set()


def test_nobody_sends_a_form(pages: Callable[..., Pages], organization: Organization) -> None:
    nobody, handle = pages(nobody=True), organization.organization_id[-8:]
    paths = [f"/o/{handle}/{path}" for path in routes("organization", "POST")]
    paths += [f"/{path}" for path in routes("person", "POST")]

    answers = {path: nobody.post(path, {}) for path in paths}
    assert {path for path, answer in answers.items() if answer.headers.get("location") != "/sign-in"} == set()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_organization_of_others_is_not_there_on_any_page(
    pages: Callable[..., Pages], other_organization: Organization, method: str
) -> None:
    owner = pages()
    answers = {
        path: owner.get(path, other_organization) if method == "GET" else owner.post(path, {}, other_organization)
        for path in routes("organization", method)
    }

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 404} == {}


@pytest.mark.parametrize("of", ["organization", "person"])
def test_a_form_without_its_token_does_nothing(pages: Callable[..., Pages], of: str) -> None:
    owner = pages()
    prefix = "" if of == "organization" else "/"
    answers = {path: owner.post(prefix + path, {}, csrf="0" * 64) for path in routes(of, "POST")}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code != 403} == {}


def test_a_viewer_changes_nothing_by_any_form(pages: Callable[..., Pages]) -> None:
    viewer = pages(role=Role.VIEWER)
    answers = {path: viewer.post(path, {}) for path in routes("organization", "POST")}

    done = {path for path, answer in answers.items() if answer.status_code < 400}
    assert done == ASKS_ONLY
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} == {}


def test_no_page_breaks_on_a_thing_that_is_not_there(pages: Callable[..., Pages]) -> None:
    owner = pages()
    answers = {path: owner.get(path) for path in routes("organization", "GET")}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} == {}


def test_no_form_breaks_when_it_is_empty(pages: Callable[..., Pages]) -> None:
    owner = pages()
    answers = {path: owner.post(path, {}) for path in routes("organization", "POST")}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} == {}
