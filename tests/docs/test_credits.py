"""The page about credits shows what really happens."""

import re
from datetime import timedelta
from decimal import Decimal

import msgspec

from lotus_server.domain.credits import CreditGrant, HeldCredit, grant_posting, settle
from lotus_server.domain.credits.burn_down import Drawdown
from lotus_server.domain.credits.ledger import CreditPosting, drawdown_posting
from lotus_server.usecases.credits import CreditDraft
from lotus_server.wire.credit_schedules import credit_schedule_draft
from lotus_server.wire.credits import credit_draft
from lotus_server.wire.wallets import wallet_draft
from tests.business import at
from tests.repository import ROOT

PAGE = (ROOT / "docs/concepts/credits.md").read_text(encoding="utf-8")
BODIES = [msgspec.json.decode(text) for text in re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)]


def _grant(draft: CreditDraft) -> CreditGrant:
    start = at("2026-01-01")
    return CreditGrant(
        "org",
        "credit",
        draft.customer_id,
        "USD",
        draft.amount,
        start,
        start,
        draft.expires_at,
        rollover=draft.rollover,
        due_at=draft.expires_at,
    )


def _row(posting: CreditPosting) -> list[str]:
    moved = [posting.source.value, "->", posting.target.value]
    return [f"{posting.posted_at:%Y-%m-%d}", posting.credit_id, *moved, str(posting.amount)]


def test_the_bodies_on_the_page_are_accepted() -> None:
    credit, schedule, wallet = BODIES

    assert credit_draft(credit).problems == ()
    assert credit_schedule_draft(schedule).problems == ()
    assert wallet_draft(wallet, keeps=False).problems == ()


def test_the_story_on_the_page_is_what_happens() -> None:
    grant = _grant(credit_draft(BODIES[0]))
    used = drawdown_posting(
        Drawdown(grant, Decimal(30)), posting_id="p", invoice_id="i", posted_at=at("2026-01-15"), description=""
    )
    later = settle([HeldCredit(grant, Decimal(70))], [], at("2026-01-15") + timedelta(days=365)).postings

    shown = re.search(r"```text\n(.*?)\n```", PAGE, re.DOTALL)

    assert shown is not None
    happened = [grant_posting(grant, posting_id="p"), used, *later]
    assert [line.split() for line in shown[1].splitlines()] == [_row(posting) for posting in happened]
