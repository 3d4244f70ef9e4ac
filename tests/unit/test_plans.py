"""What a rollout will do, why a fleet is refused, and what it is estimated to take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ovenbird.core import estimates, plans, prices, refusals
from ovenbird.core.addresses import Address
from ovenbird.core.groups import Group, TemplateVersion
from ovenbird.core.images import BAD, BAKE_KEY, BASE, FLEET, Image
from ovenbird.core.plans import Bake, Nothing, Roll
from ovenbird.core.preferences import Preferences
from ovenbird.core.surveys import Survey
from ovenbird.core.templates import Version
from ovenbird.fleet import RollSettings
from tests.unit.fleets import TEMPLATE, group, member, refresh

TAGGED = {"ovenbird:fleet": "web"}
CURRENT = Image("ami-1", "one", "available")
RUNNING = Version(TEMPLATE, "3", {"ImageId": "ami-1"})
LARGE = Preferences(100, 125, 60)
GOOD = Survey(
    fleet="web",
    roll=RollSettings(),
    group=replace(group(3, 3, 3, 3), tags=TAGGED),
    refreshes=(refresh("Successful"),),
    running=(RUNNING,),
    preferences=LARGE,
    current_id="ami-1",
    current=CURRENT,
    template_tags={TEMPLATE: TAGGED},
)


def interfaces(number: int, **tagged: str) -> Version:
    """A version that makes so many network interfaces, and tags these kinds with a fleet."""
    return Version(
        TEMPLATE,
        "3",
        {
            "ImageId": "ami-1",
            "NetworkInterfaces": [{"DeviceIndex": index} for index in range(number)],
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": [{"Key": FLEET, "Value": fleet}]}
                for kind, fleet in tagged.items()
            ],
        },
    )


def address(number: int, instance: str = "", interface: str = "") -> Address:
    return Address(f"eipalloc-{number}", f"203.0.113.{number}", instance, interface)


def seen(**changes: Any) -> Survey:
    """A fleet that can be rolled, but for this; ``group_…`` changes its group."""
    inner = {name[6:]: changes.pop(name) for name in list(changes) if name.startswith("group_")}
    return replace(GOOD, **{"group": replace(GOOD.group, **inner), **changes})


def test_nothing_is_said_against_a_good_fleet() -> None:
    assert refusals.refusals(GOOD) == ()


@pytest.mark.parametrize(
    ("fleet", "sentences"),
    [
        pytest.param(seen(group_tags={}), ["does not carry the tag ovenbird:fleet=web"], id="tag"),
        pytest.param(
            seen(template_tags={TEMPLATE: {"ovenbird:fleet": "api"}}),
            ["Launch template lt-web does not carry the tag ovenbird:fleet=web"],
            id="template of another fleet",
        ),
        pytest.param(
            seen(group_template=None, group_launch_configuration="lc-1", running=()),
            ["launches from the launch configuration lc-1", "move it to a launch template"],
            id="launch configuration",
        ),
        pytest.param(
            seen(group_template=TemplateVersion(TEMPLATE, "$Latest")),
            ["launches version $Latest of lt-web", "set roll.pin to true"],
            id="alias",
        ),
        pytest.param(
            seen(
                group_overrides=(TemplateVersion("lt-arm", "$Default"),),
                running=(RUNNING, Version("lt-arm", "1", {"ImageId": "ami-1"})),
            ),
            ["launches version $Default of lt-arm", "set roll.pin to true"],
            id="alias in an override",
        ),
        pytest.param(
            seen(group_overrides=(TemplateVersion(TEMPLATE, "2"),)),
            ["names another version of lt-web", "give both the same"],
            id="two versions of one template",
        ),
        pytest.param(
            seen(
                group_mixed={
                    "LaunchTemplate": {"Overrides": [{"InstanceRequirements": {"VCpuCount": {}}}]}
                }
            ),
            ["by attributes (InstanceRequirements)", "name the instance types"],
            id="by attributes",
        ),
        pytest.param(
            seen(group_mixed={"LaunchTemplate": {"Overrides": [{"ImageId": "ami-1"}]}}),
            ["names an image itself", "take ImageId out"],
            id="image in an override",
        ),
        pytest.param(
            seen(current=None), ["launches ami-1, which does not exist any more"], id="image gone"
        ),
        pytest.param(
            seen(current=replace(CURRENT, state="disabled")),
            ["ami-1 that the group launches is disabled", "enable it"],
            id="image disabled",
        ),
        pytest.param(
            seen(
                running=(Version(TEMPLATE, "3", {"ImageId": "resolve:ssm:/image"}),),
                current_id="resolve:ssm:/image",
                current=None,
            ),
            ["names its image by a parameter (resolve:ssm:/image)", "write the image id"],
            id="image by parameter",
        ),
        pytest.param(
            seen(refreshes=(refresh("InProgress"),)),
            ["is being refreshed by somebody else (r-1, InProgress)", "wait until it has ended"],
            id="refresh of others",
        ),
        pytest.param(
            seen(group_suspended=("Launch", "Terminate")),
            ["has suspended Launch and Terminate; resume them"],
            id="suspended",
        ),
        pytest.param(
            seen(
                roll=RollSettings(standby_instances="Wait"),
                group_members=(member(1, 3, "Standby"),),
            ),
            ["i-1 in Standby", "choose Ignore or Terminate"],
            id="standby",
        ),
        pytest.param(
            seen(
                roll=RollSettings(protected_instances="Wait"),
                group_members=(member(1, 3, protected=True),),
            ),
            ["i-1 with scale-in protection", "choose Refresh or Ignore"],
            id="protected",
        ),
        pytest.param(
            seen(group_max_size=4),
            ["has 4 of at most 4 instances", "raise its MaxSize to 5"],
            id="no room",
        ),
        pytest.param(
            seen(group_desired=1, preferences=Preferences(100, 100, 60)),
            ["there is no room for a second", "roll.max_healthy_percent to 200"],
            id="one at 100/100",
        ),
        pytest.param(
            seen(roll=RollSettings(alarms=("a", "b", "c")), alarms={"a": "OK", "b": "ALARM"}),
            ["The alarm b is ALARM", "There is no alarm c"],
            id="alarms",
        ),
        pytest.param(
            seen(roll=RollSettings(alarms=("a",)), alarms={"a": "INSUFFICIENT_DATA"}),
            ["The alarm a is INSUFFICIENT_DATA"],
            id="alarm without data",
        ),
        pytest.param(
            seen(address_count=2, pool=(address(1),)),
            ["addresses.count is 2, but 1 Elastic IPs carry the tag"],
            id="few addresses",
        ),
        pytest.param(
            seen(address_count=2, pool=(address(1), address(2, "i-99"))),
            ["others than group web hold 203.0.113.2 (i-99)"],
            id="a stranger holds one",
        ),
        pytest.param(
            seen(address_count=1, pool=(address(1, interface="eni-1"),)),
            ["others than group web hold 203.0.113.1 (eni-1)"],
            id="an interface holds it",
        ),
        pytest.param(
            seen(
                address_count=2,
                pool=(address(1), address(2)),
                group_desired=1,
                preferences=Preferences(100, 200, 60),
            ),
            ["group web has 1 instances, and each takes one address"],
            id="more addresses than instances",
        ),
        pytest.param(
            seen(
                address_count=1,
                pool=(address(1),),
                running=(interfaces(2, instance="web", volume="web"),),
            ),
            ["3 of lt-web gives an instance 2 network interfaces", "or set addresses.count to 0"],
            id="interfaces without a tag",
        ),
        pytest.param(
            seen(
                address_count=1,
                pool=(address(1),),
                running=(interfaces(3, **{"network-interface": "shop"}),),
            ),
            ["does not carry the tag ovenbird:fleet=web; add it for network-interface"],
            id="interfaces of another fleet",
        ),
        pytest.param(
            seen(group_tags={}, current=None, refreshes=(refresh("Pending"),)),
            ["tag ovenbird:fleet=web", "does not exist any more", "refreshed by somebody else"],
            id="everything at once",
        ),
    ],
)
def test_refuses(fleet: Survey, sentences: list[str]) -> None:
    told = refusals.refusals(fleet)
    for sentence in sentences:
        assert any(sentence in each for each in told), told
    assert all(each.endswith(".") and ("; " in each or ", so " in each) for each in told)
    assert len(told) <= len(sentences)


@pytest.mark.parametrize(
    "fleet",
    [
        pytest.param(
            seen(group_template=TemplateVersion(TEMPLATE, "$Latest"), roll=RollSettings(pin=True)),
            id="an alias that may be pinned",
        ),
        pytest.param(seen(group_desired=0, group_max_size=0, group_members=()), id="empty group"),
        pytest.param(
            seen(group_members=(member(1, 3, "Standby"), member(2, 3, protected=True))),
            id="standby and protected by default",
        ),
        pytest.param(seen(preferences=Preferences(50, 100, 60), group_max_size=4), id="no surge"),
        pytest.param(
            seen(address_count=2, pool=(address(1, "i-1"), address(2), address(3, "i-99"))),
            id="a stranger holds one too many",
        ),
        pytest.param(seen(group_suspended=("AZRebalance",)), id="harmless suspension"),
        pytest.param(
            seen(
                address_count=1,
                pool=(address(1),),
                running=(interfaces(2, **{"network-interface": "web"}),),
            ),
            id="several interfaces with the tag",
        ),
        pytest.param(
            seen(address_count=1, pool=(address(1),), running=(interfaces(1),)),
            id="one interface, which the instance stands for",
        ),
        pytest.param(seen(running=(interfaces(2),)), id="several interfaces and no addresses"),
        pytest.param(
            seen(roll=RollSettings(alarms=("a",)), alarms={"a": "OK"}), id="a quiet alarm"
        ),
    ],
)
def test_lets_through(fleet: Survey) -> None:
    assert refusals.refusals(fleet) == ()


def baked(name: str = "ovenbird-web-k", image: str = "ami-2", **tags: str) -> Image:
    return Image(image, name, "available", {FLEET: "web", BAKE_KEY: "k", **tags})


def decide(group_: Group, *images: Image, current: str = "ami-1") -> plans.Decision:
    return plans.release(
        "web",
        group_,
        current=current,
        base="ami-0",
        key="k",
        baked=images,
        running=(RUNNING,),
    )


class TestRelease:
    def test_bakes_what_was_never_baked(self) -> None:
        assert decide(GOOD.group) == Bake(
            "ami-0", "k", "ovenbird-web-k", "No image has been baked from this content yet."
        )

    def test_bakes_again_what_was_marked_bad(self) -> None:
        decision = decide(GOOD.group, baked(**{BAD: "it crashed"}))
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
        target = baked(image="ami-0", **{BASE: "ami-root"})
        decision = plans.roll_back(GOOD.group, current="ami-1", target=target, running=(RUNNING,))
        assert isinstance(decision, Roll)
        assert (decision.image, decision.base, decision.key) == ("ami-0", "ami-root", "k")

    def test_has_nothing_to_do_on_the_same_image(self) -> None:
        decision = plans.roll_back(GOOD.group, current="ami-1", target=CURRENT, running=(RUNNING,))
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
        ("target", "why"),
        [
            pytest.param(CURRENT, None, id="good"),
            pytest.param(baked(**{BAD: "it crashed"}), "is marked bad (it crashed)", id="bad"),
            pytest.param(replace(CURRENT, state="failed"), "ami-1 is failed", id="failed"),
        ],
    )
    def test_refuses_a_bad_target(self, target: Image, why: str | None) -> None:
        told = plans.bad_target(target)
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


class TestEstimates:
    def test_batches_take_a_launch_and_a_warm_up_each(self) -> None:
        four = estimates.estimate(LARGE, desired=4, bakes=False)
        assert four.minutes == 1 + 4 * (estimates.LAUNCH_MINUTES + 1)
        assert "4 batches of 1" in four.basis

    def test_pauses_and_bake_time_count(self) -> None:
        slow = replace(
            LARGE, checkpoints=(50, 100), checkpoint_delay_seconds=600, bake_time_seconds=300
        )
        plain = estimates.estimate(LARGE, desired=4, bakes=False)
        assert estimates.estimate(slow, desired=4, bakes=False).minutes == plain.minutes + 15

    def test_a_bake_costs_time_and_a_snapshot(self) -> None:
        without = estimates.estimate(LARGE, desired=4, bakes=False)
        with_bake = estimates.estimate(LARGE, desired=4, bakes=True)
        assert with_bake.minutes == without.minutes + estimates.BAKE_MINUTES
        snapshot = prices.IMAGE_GB * prices.SNAPSHOT_GB_MONTH
        assert with_bake.dollars > without.dollars + snapshot
        assert "to be verified" in with_bake.basis

    def test_an_empty_group_costs_next_to_nothing(self) -> None:
        empty = estimates.estimate(LARGE, desired=0, bakes=False)
        assert (empty.minutes, empty.dollars) == (estimates.PLAN_MINUTES, 0.001)
