"""The repository explains itself: nothing in it points to papers, places or helpers that its reader does not have."""

import re

import pytest

from tests.repository import LOCK_FILES, relative, repository_files, text_of

_THINGS_THAT_ARE_ISSUED = r"(?:credit|invoice|bill|refund|grant|key|token|card|note|event|request|line|unit)"

# What must not appear -> (an example that is found, a look-alike that is allowed).
FORBIDDEN = {
    # Other folders of the place where it was written.
    r"\.\./shared\b|/work/(?:main|shared)\b|\.library/": ("see ../shared/notes", "../shared_types"),
    r"\b(?:wire|lotus-domain|style|DESIGN|seed-nodejs-library)\.md\b": ("as in wire.md", "hardware.md"),
    # Numbers of a tracker that does not exist.
    rf"(?i)\bissues? #\d+|\(#\d+\)|\bissue \d+\b(?!\s+(?:\w+\s+)?{_THINGS_THAT_ARE_ISSUED}s?\b)": (
        "done for issue 2",
        "jobs issue 2 invoices, or issue 20 credit notes",
    ),
    # Writing tools and their work sessions. A browser's "user agent" and Node's `http.Agent` are something else.
    r"(?i)\b(?:AI|LLM|coding|helper|sub)[ -]?agents?\b|\b(?:AGENTS|CLAUDE)\.md\b": ("an AI agent", "the user agent"),
    r"(?i)\bco-authored-by:|\bgenerated (?:with|by) (?:claude|chatgpt|copilot|codex)\b": (
        "Generated with Claude",
        "generated with hypothesis",
    ),
    r"(?i)\b(?:previous|earlier|last|next|this|work|working|coding|developer'?s?) session(?:'s)? "
    r"(?:of|on|for) (?:the )?(?:project|work|coding|developer)|\bsteering repo\b|\bCEO session\b": (
        "left to the next session of the project",
        "the database closes this session",
    ),
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_the_pattern_finds_its_example_and_not_its_look_alike(pattern: str) -> None:
    example, look_alike = FORBIDDEN[pattern]

    assert re.search(pattern, example)
    assert not re.search(pattern, look_alike)


def test_nothing_points_outside_the_repository() -> None:
    patterns = [re.compile(pattern) for pattern in FORBIDDEN]
    itself = "tests/architecture/test_standalone.py"
    found = [
        f"{relative(path)}:{number}: {match.group()}"
        for path in repository_files()
        if path.name not in LOCK_FILES and relative(path) != itself
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1)
        for pattern in patterns
        if (match := pattern.search(line))
    ]

    assert found == []
