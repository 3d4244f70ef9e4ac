"""``docs/operate.md`` has every failure, with every sentence that can come with it."""

from __future__ import annotations

import re

import pytest

from ovenbird import errors
from ovenbird.core import notices
from tests.template import operate
from tests.template.deployed import machine

PAGE = operate.PAGE.read_text()
CHAPTER = PAGE.partition("\n## Failures by name\n")[2]


def of(failure: str) -> str:
    """What the page says of a failure."""
    return CHAPTER.partition(f"\n### {failure}\n")[2].partition("\n### ")[0]


def leaves(kind: type[Exception]) -> set[str]:
    below = kind.__subclasses__()
    return set[str]().union(*map(leaves, below)) if below else {kind.__name__}


def test_the_tree_in_errors_is_what_is_looked_through() -> None:
    assert set(operate.failures()) == leaves(errors.OvenbirdError)


@pytest.mark.parametrize("failure", operate.failures())
def test_a_failure_is_there_with_its_meaning_what_to_do_and_its_texts(failure: str) -> None:
    section = of(failure)
    assert "**Means**: " in section
    assert re.search(r"\*\*Do\*\*[:,]", section)
    assert notices.advice(failure) in section
    assert operate.marked(section) == [failure]


def test_no_failure_is_there_that_nothing_raises() -> None:
    titles = set(re.findall(r"^### (\w+)$", CHAPTER, re.M))
    by_the_machine = {
        state["Error"] for state in machine("rollout")["States"].values() if "Error" in state
    } | {"UnknownAnswer"}
    assert titles == set(operate.failures()) | by_the_machine


def test_the_texts_are_those_of_the_code() -> None:
    assert operate.with_texts(PAGE) == PAGE, "run python -m tests.template.operate"


def test_what_aws_has_named_is_there_by_its_name() -> None:
    section = of("Names with a point")
    assert f"*{notices.advice('Lambda.Unknown')}*" in section
    rules = [
        rule
        for state in machine("rollout")["States"].values()
        for rule in (*state.get("Retry", []), *state.get("Catch", []))
    ]
    names = {name for rule in rules for name in rule["ErrorEquals"] if "." in name}
    named = re.findall(r"`([A-Z]\w+\.[\w…]+)`", section)
    assert {"States.Timeout", "Runtime.ExitError"} <= names
    for name in names - {"States.ALL"}:
        family, _, _ = name.partition(".")
        assert {name, f"{family}.…"} & set(named), name


def test_what_has_no_name_is_told_as_such() -> None:
    assert f"*{notices.advice('Boom')}*" in CHAPTER


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("Refused", "Group <name> does not carry the tag ovenbird:fleet=<fleet>; add it, "),
        ("BakeFailed", "The builder <name> did not start within <boot>."),
        ("BadFleet", "Fleet <name>: the document is not JSON: <error>."),
        ("Denied", "Could not <action>: <AWS's text> (<AWS's code>)"),
        ("Stopped", "<stop by> stopped the rollout: <stop reason>"),
        ("Refused", "resume it/them, or nothing can be replaced."),
    ],
)
def test_sentences_are_found_however_they_are_made(failure: str, told: str) -> None:
    assert any(told in text for text in operate.texts()[failure])


def test_every_failure_has_a_sentence() -> None:
    assert [name for name, told in operate.texts().items() if not told] == []
