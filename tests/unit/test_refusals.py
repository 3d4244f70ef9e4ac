"""Why a fleet is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ovenbird.core import refusals
from ovenbird.core.addresses import Address
from ovenbird.core.groups import TemplateVersion
from ovenbird.core.images import FLEET
from ovenbird.core.preferences import Preferences
from ovenbird.core.surveys import Survey
from ovenbird.core.templates import Version
from ovenbird.fleet import RollSettings
from tests.unit.fleets import TEMPLATE, member, refresh
from tests.unit.surveys import CURRENT, GOOD, RUNNING


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
            seen(template_tags={TEMPLATE: {}}),
            ["Launch template lt-web does not carry the tag ovenbird:fleet=web"],
            id="template without a tag",
        ),
        pytest.param(
            seen(group_status="Delete in progress"),
            [
                "Group web is being deleted (Delete in progress); name another group in the fleet "
                "document, or make it again when it is gone."
            ],
            id="being deleted",
        ),
        pytest.param(
            seen(group_tags={"ovenbird:fleet": "api"}),
            [
                "Group web is fleet api's by its tag ovenbird:fleet, and a group belongs to one "
                "fleet; name a group of fleet web's own in groups, or change the tag if fleet api "
                "has given it up."
            ],
            id="another fleet's group",
        ),
        pytest.param(
            seen(template_tags={"lt-web": {"ovenbird:fleet": "api"}}),
            [
                "Launch template lt-web is fleet api's by its tag ovenbird:fleet, and a template "
                "belongs to one fleet, or each would launch what the other publishes; leave the "
                "tag, and give group web a template of its own with the tag ovenbird:fleet=web."
            ],
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
