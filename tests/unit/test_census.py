from __future__ import annotations

import pytest

from ovenbird.core.census import count
from ovenbird.core.groups import Member, TemplateVersion
from tests.unit.fleets import TEMPLATE, group, member

TO_FOUR = {TEMPLATE: "4"}


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        pytest.param(member(1, 4), "on_target", id="on the version"),
        pytest.param(member(1, 4, "Pending"), "on_target", id="coming, on the version"),
        pytest.param(member(1, 3), "stragglers", id="on the old version"),
        pytest.param(member(1, 3, "Pending:Wait"), "stragglers", id="coming, on the old version"),
        pytest.param(member(1, 3, "Warmed:Stopped"), "stragglers", id="old, in the warm pool"),
        pytest.param(member(1, None), "stragglers", id="from no template at all"),
        pytest.param(member(1, 3, "Terminating:Wait"), None, id="leaving"),
        pytest.param(member(1, 3, "Detaching"), None, id="being detached"),
        pytest.param(member(1, 3, "Warmed:Terminating"), None, id="leaving the warm pool"),
        pytest.param(member(1, 3, "Standby"), "apart", id="standby, to be ignored"),
        pytest.param(member(1, 4, "Standby"), "on_target", id="standby, on the version"),
        pytest.param(member(1, 3, protected=True), "stragglers", id="protected, to be refreshed"),
        pytest.param(
            Member("i-1", "InService", True, TemplateVersion("lt-other", "4")),
            "stragglers",
            id="the number of another template",
        ),
    ],
)
def test_counts_each_instance_in_one_place(seen: Member, place: str | None) -> None:
    census = count(group(seen, saved=4), TO_FOUR)
    places = {name: getattr(census, name) for name in ("on_target", "stragglers", "apart")}
    assert places == {name: (("i-1",) if name == place else ()) for name in places}


def test_protected_instances_are_set_apart_when_they_are_to_be_ignored() -> None:
    census = count(group(member(1, 3, protected=True)), TO_FOUR, protected_instances="Ignore")
    assert census.apart == ("i-1",)


def test_standby_instances_are_stragglers_when_they_are_not_to_be_ignored() -> None:
    census = count(group(member(1, 3, "Standby")), TO_FOUR, standby_instances="Terminate")
    assert census.stragglers == ("i-1",)


def test_overrides_count_by_their_own_templates() -> None:
    arm = Member("i-2", "InService", True, TemplateVersion("lt-arm", "9"))
    assert count(group(member(1, 4), arm), {TEMPLATE: "4", "lt-arm": "9"}).stragglers == ()
    assert count(group(member(1, 4), arm), {TEMPLATE: "4", "lt-arm": "8"}).stragglers == ("i-2",)


def test_is_not_complete_before_the_group_itself_launches_the_version() -> None:
    assert not count(group(4, 4, saved=3), TO_FOUR).complete
    assert count(group(4, 4, saved=4), TO_FOUR).complete


def test_reads_aloud() -> None:
    census = count(group(4, 3, member(3, 3, "Standby")), TO_FOUR)
    assert str(census) == (
        "1 of 3 instances are on the wanted version; not yet: i-2; left alone (standby or "
        "protected): i-3; the group itself still launches another version"
    )


def test_ten_thousand_stragglers_fit_into_one_sentence() -> None:
    census = count(group(*[3] * 10_000), TO_FOUR)
    assert len(census.stragglers) == 10_000
    assert len(str(census)) < 500
    assert "and 9990 more" in str(census)
