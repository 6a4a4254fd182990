"""Acting: a role allows a verb or not, and a verb without a permission is for nobody."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator

import pytest

from lotus_server import usecases
from lotus_server.domain.accounts import Organization, Permission, Role, role_allows
from lotus_server.kernel.errors import Forbidden, NotFound
from lotus_server.usecases.clock import read_clock
from lotus_server.usecases.customers import CustomerDraft, create_customer, get_customer
from lotus_server.usecases.invoices import void_invoice
from lotus_server.usecases.organizations import create_api_key, list_api_keys
from lotus_server.usecases.permissions import NEEDED
from lotus_server.usecases.services import Services
from tests.business import Business
from tests.people import acting

# Verbs that take an organization but are no page's business: parts of others, and what keys do.
NOT_FOR_PEOPLE = {
    "ingest_known_customers_only",
    "narrowed",
    "read_usages",
    "usages_at_hand",
    "changing",
    "sum_up_revenue",
    "take_in_customers",
} | {
    "can_be_undone",
    "entries_to_undo",
    "undo",
}


def verbs() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every public function of a use case that takes services and an organization first."""
    for found in pkgutil.iter_modules(usecases.__path__):
        module = importlib.import_module(f"lotus_server.usecases.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                parameters = list(inspect.signature(function).parameters)
                if parameters[:2] == ["services", "organization"]:
                    yield name, function


def test_every_verb_has_a_permission_or_is_for_nobody() -> None:
    missing = {name for name, verb in verbs() if verb not in NEEDED} - NOT_FOR_PEOPLE

    assert missing == set(), "usecases/permissions.py says which permission a verb needs"


def test_what_has_a_permission_is_a_verb() -> None:
    known = {verb for _, verb in verbs()}

    assert set(NEEDED) <= known


def test_a_verb_does_what_it_does_for_who_may(business: Business) -> None:
    admin = acting(business.services, business.organization, Role.ADMIN)

    made = admin.do(create_customer, CustomerDraft("new", "New"))

    assert made.customer == admin.do(get_customer, "new").customer


def test_who_may_not_is_refused_and_nothing_happens(business: Business) -> None:
    viewer = acting(business.services, business.organization, Role.VIEWER)

    with pytest.raises(Forbidden) as caught:
        viewer.do(create_customer, CustomerDraft("new", "New"))

    assert caught.value.code == "permission_denied"
    with pytest.raises(NotFound):
        viewer.do(get_customer, "new")


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_its_permissions_say(business: Business, role: Role) -> None:
    somebody = acting(business.services, business.organization, role)

    assert {verb: role_allows(role, needed) for verb, needed in NEEDED.items()} == {
        verb: somebody.may(verb) for verb in NEEDED
    }


def test_a_verb_without_a_permission_is_for_nobody(business: Business) -> None:
    def secret(services: Services, organization: Organization) -> str:
        return "told"

    owner = acting(business.services, business.organization, Role.OWNER)

    assert not owner.may(secret)
    with pytest.raises(Forbidden):
        owner.do(secret)


def test_keys_are_for_developers_and_invoices_for_finance(business: Business) -> None:
    developer = acting(business.services, business.organization, Role.DEVELOPER)
    finance = acting(business.services, business.organization, Role.FINANCE)

    assert [True, True, False] == [developer.may(verb) for verb in (list_api_keys, create_api_key, void_invoice)]
    assert [False, False, True] == [finance.may(verb) for verb in (list_api_keys, create_api_key, void_invoice)]


def test_who_only_reads_may_call_nothing_that_writes() -> None:
    reads = {verb for verb, needed in NEEDED.items() if needed is Permission.READ}
    writing = {verb.__name__ for verb in reads if ".transaction()" in inspect.getsource(verb)}

    assert read_clock in reads
    # The one is rolled back; the other makes what is missing, as it always is at first.
    assert writing == {"next_invoice", "get_portal"}
