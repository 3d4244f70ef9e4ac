"""What a rollout will do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovenbird.core import plans
from ovenbird.core.groups import Group, TemplateVersion
from ovenbird.core.images import Baked, Image, Known
from ovenbird.core.plans import Bake, Nothing, Roll
from ovenbird.core.templates import Version
from tests.unit.fleets import TEMPLATE, group, member
from tests.unit.surveys import CURRENT, GOOD, LARGE, RUNNING


def baked(name: str = "ovenbird-web-k", image: str = "ami-2") -> Image:
    return Image(image, name, "available")


def known(*images: Image, bad: str = "", base: str = "") -> Known:
    return {each.image_id: Baked(each.image_id, "k", base, bad=bad) for each in images}


def decide(group_: Group, *images: Image, current: str = "ami-1", bad: str = "") -> plans.Decision:
    return plans.release(
        "web",
        group_,
        current=current,
        base="ami-0",
        key="k",
        named=images,
        known=known(*images, bad=bad),
        running=(RUNNING,),
        content="this content",
    )


class TestRelease:
    def test_bakes_what_was_never_baked(self) -> None:
        assert decide(GOOD.group) == Bake(
            "ami-0", "k", "ovenbird-web-k", "No image has been baked from this content yet."
        )

    def test_bakes_again_what_was_marked_bad(self) -> None:
        decision = decide(GOOD.group, baked(), bad="it crashed")
        assert isinstance(decision, Bake)
        assert decision.name == "ovenbird-web-k-2"

    def test_reuses_what_was_baked(self) -> None:
        decision = decide(GOOD.group, baked())
        assert isinstance(decision, Roll)
        assert (decision.image, decision.name) == ("ami-2", "ovenbird-web-k")

    def test_has_nothing_to_do_where_every_instance_runs_it(self) -> None:
        assert isinstance(decide(GOOD.group, baked(image="ami-1")), Nothing)

    def test_rolls_where_one_instance_runs_something_else(self) -> None:
        assert isinstance(decide(group(3, 2), baked(image="ami-1")), Roll)

    def test_an_instance_that_is_going_does_not_count(self) -> None:
        leaving = group(3, member(2, 2, "Terminating:Wait"))
        assert isinstance(decide(leaving, baked(image="ami-1")), Nothing)

    def test_an_alias_is_compared_by_the_number_that_it_means(self) -> None:
        assert isinstance(decide(group(3, 3, saved="$Latest"), baked(image="ami-1")), Nothing)


class TestRollBack:
    def test_goes_to_the_image_without_a_bake(self) -> None:
        target = baked(image="ami-0")
        decision = plans.roll_back(
            GOOD.group,
            current="ami-1",
            target=target,
            known=known(target, base="ami-root"),
            running=(RUNNING,),
        )
        assert isinstance(decision, Roll)
        assert (decision.image, decision.base, decision.key) == ("ami-0", "ami-root", "k")

    def test_goes_only_to_what_the_fleet_ran(self) -> None:
        assert plans.unknown_target("ami-0", ["ami-1", "ami-0"]) is None
        assert plans.unknown_target("ami-9", ["ami-1", "ami-0"]) == (
            "image is ami-9, which the fleet has not run as far as Ovenbird knows; it must be one "
            "of ami-1, ami-0, or left out for the one before."
        )

    def test_has_nothing_to_do_on_the_same_image(self) -> None:
        decision = plans.roll_back(
            GOOD.group, current="ami-1", target=CURRENT, known={}, running=(RUNNING,)
        )
        assert isinstance(decision, Nothing)

    @pytest.mark.parametrize(
        ("stack", "target"),
        [
            pytest.param([], None, id="never rolled"),
            pytest.param(["ami-1"], None, id="nothing before"),
            pytest.param(["ami-0", "ami-1"], "ami-0", id="the one before"),
            pytest.param(["ami-0", "ami-9"], "ami-9", id="others changed the fleet"),
        ],
    )
    def test_finds_the_image_before(self, stack: list[str], target: str | None) -> None:
        assert plans.roll_back_target(stack, "ami-1") == target

    @pytest.mark.parametrize(
        ("target", "bad", "by_name", "why"),
        [
            pytest.param(CURRENT, "", False, None, id="good"),
            pytest.param(CURRENT, "it crashed", False, "is marked bad (it crashed)", id="bad"),
            pytest.param(CURRENT, "it crashed", True, None, id="bad, and named by a person"),
            pytest.param(
                replace(CURRENT, tags={"ovenbird:bad": "x"}), "", False, None, id="only a tag"
            ),
            pytest.param(
                replace(CURRENT, state="failed"), "", True, "ami-1 is failed", id="failed"
            ),
        ],
    )
    def test_refuses_a_bad_target(
        self, target: Image, bad: str, by_name: bool, why: str | None
    ) -> None:
        told = plans.bad_target(target, known(target, bad=bad), by_name=by_name)
        assert (told is None) == (why is None)
        assert why is None or why in str(told)


def test_the_old_version_is_told_in_numbers() -> None:
    mixed = replace(
        group(3, saved="$Latest"),
        overrides=(None, TemplateVersion("lt-arm", "$Default"), TemplateVersion("lt-x", "7")),
    )
    running = (RUNNING, Version("lt-arm", "2", {}), Version("lt-x", "7", {}))
    assert plans.old_version(mixed, running, "ami-1") == {
        "image": "ami-1",
        "template": TEMPLATE,
        "version": "3",
        "overrides": {"lt-arm": "2", "lt-x": "7"},
    }


OLD = {"image": "ami-1", "template": TEMPLATE, "version": "3", "overrides": {}}
BAKE = Bake("ami-0", "k", "ovenbird-web-k", "It is new.")


def test_the_plan_reads_aloud() -> None:
    told = plans.steps(BAKE, GOOD.group, LARGE, old=OLD, pins=True, pinned=False, addresses=2)
    assert told == [
        "Group web follows an alias; it would be pinned to version 3 of lt-web, "
        "which it means now.",
        "Bake ovenbird-web-k from ami-0: It is new.",
        "Publish a version of lt-web from version 3 with that image.",
        "Roll the 4 instances of group web, between 100 and 125 percent of its size, "
        "with at most 1 more than now.",
        "Keep 2 Elastic IPs on healthy instances all the while.",
        "If it fails, AWS rolls back by itself to version 3 of lt-web (ami-1); what a release has "
        "done outside of its instances, as in a database, stays done.",
    ]


def test_the_plan_of_an_empty_group_and_a_reused_image() -> None:
    roll = Roll("ami-2", "ami-0", "k", "ovenbird-web-k", "It was baked before.")
    by_us = replace(LARGE, auto_rollback=False)
    told = plans.steps(roll, group(), by_us, old=OLD, pins=True, pinned=True, addresses=0)
    assert told[0].startswith("Group web follows an alias; it is pinned to")
    assert told[1] == "Bake nothing: It was baked before."
    assert told[3] == "Group web has no instances: it only learns the new version."
    assert told[4].startswith("If it fails, Ovenbird rolls back to")


def test_nothing_to_do_is_one_sentence() -> None:
    nothing = Nothing("ami-1", "It runs already.")
    told = plans.steps(nothing, GOOD.group, LARGE, old=OLD, pins=False, pinned=False, addresses=0)
    assert told == ["It runs already."]
