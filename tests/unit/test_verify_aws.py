"""The suite for AWS, as far as it can be tried without any: its table, and that it cleans up."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.aws.__main__ import ASSUMPTIONS
from tests.aws.account import Belongings, code
from tests.aws.assumptions import Assumption, Outcome, Report
from tests.template.deployed import ROOT

SUN = Assumption("the sun rises", "everybody")
MOON = Assumption("the moon is cheese", "a poem")
LIMITS = "docs/limits.md: "


def refusal(name: str) -> ClientError:
    return ClientError({"Error": {"Code": name, "Message": "no"}}, "Delete")


class Stubborn:
    """Something that cannot be removed at once."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def remove(self) -> None:
        self.asked += 1
        if (answer := self.answers.pop(0)) is not None:
            raise answer


def test_a_table_says_what_held_and_what_did_not() -> None:
    told: list[str] = []
    report = Report(told.append)
    report.compare(SUN, "east", "east", "west")
    report.compare(MOON, "stone", "cheese")
    assert told == ["held: the sun rises [east]", "DID NOT HOLD: the moon is cheese [stone]"]
    assert report.table((SUN, MOON)).splitlines()[1:] == [
        "the sun rises       held          east",
        "the moon is cheese  DID NOT HOLD  stone",
    ]


def test_giving_up_leaves_what_was_found() -> None:
    report = Report(lambda _: None)
    report.compare(SUN, "east", "east")
    report.give_up((SUN, MOON), "clouds")
    outcomes = [report.findings[each].outcome for each in (SUN, MOON)]
    assert outcomes == [Outcome.HELD, Outcome.UNTRIED]


def test_what_was_never_reached_stands_in_the_table() -> None:
    assert "not tried  it was stopped before" in Report(lambda _: None).table((SUN,))


def test_the_last_thing_made_goes_first_and_goes_on_until_it_is_gone() -> None:
    told: list[str] = []
    owned = Belongings(told.append, pause=0, patience=5)
    group = Stubborn(refusal("ScalingActivityInProgress"), None)
    template = Stubborn(refusal("InvalidLaunchTemplateName.NotFoundException"))
    owned.add("template", template.remove)
    owned.add("group", group.remove)
    assert owned.remove() == []
    assert told == ["removing group", "removing template"]
    assert (group.asked, template.asked) == (2, 1)


def test_what_cannot_be_removed_is_told_and_stops_nothing() -> None:
    owned = Belongings(lambda _: None, pause=0, patience=0)
    first = Stubborn(None)
    owned.add("first", first.remove)
    owned.add("second", Stubborn(refusal("DependencyViolation"), refusal("x")).remove)
    (left,) = owned.remove()
    assert left.startswith("second: ")
    assert "DependencyViolation" in left or "(x)" in left
    assert first.asked == 1


def test_a_code_is_what_the_wire_says() -> None:
    def refused() -> None:
        raise refusal("ValidationError")

    assert code(refused) == "ValidationError"
    assert code(lambda: None) == "accepted"


@pytest.mark.parametrize("assumption", ASSUMPTIONS, ids=lambda each: each.says)
def test_what_is_tried_stands_somewhere(assumption: Assumption) -> None:
    """Either on the page of what nobody has tried yet, or in a document of AWS."""
    page = (ROOT / "docs/limits.md").read_text()
    if assumption.source.startswith(LIMITS):
        assert assumption.source.removeprefix(LIMITS) in page
    else:
        assert assumption.source.partition(",")[0].endswith((" reference", " guide"))
