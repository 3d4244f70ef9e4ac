from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ovenbird.core.groups import Group, TemplateVersion, override_templates, template_version
from ovenbird.core.refreshes import Refresh, configuration, ours
from tests.unit.fleets import BEGAN, TEMPLATE, group, refresh, version

POLICY: dict[str, Any] = {
    "LaunchTemplate": {
        "LaunchTemplateSpecification": {
            "LaunchTemplateId": TEMPLATE,
            "LaunchTemplateName": "web",
            "Version": "3",
        },
        "Overrides": [
            {"InstanceType": "m7i.large", "WeightedCapacity": "2"},
            {
                "InstanceType": "m7g.large",
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": "lt-arm",
                    "LaunchTemplateName": "web-arm",
                    "Version": "8",
                },
            },
        ],
    },
    "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
}


def mixed() -> Group:
    policy = deepcopy(POLICY)
    return replace(group(3, 3), mixed=policy, overrides=override_templates(policy))


def test_a_plain_group_gets_its_template_with_a_number() -> None:
    assert configuration(group(3, 3), {TEMPLATE: "4"}) == {
        "LaunchTemplate": {"LaunchTemplateId": TEMPLATE, "Version": "4"}
    }


def test_a_mixed_group_gets_its_whole_policy_with_other_versions() -> None:
    seen = mixed()
    assert configuration(seen, {TEMPLATE: "4", "lt-arm": "9"}) == {
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": TEMPLATE, "Version": "4"},
                "Overrides": [
                    {"InstanceType": "m7i.large", "WeightedCapacity": "2"},
                    {
                        "InstanceType": "m7g.large",
                        "LaunchTemplateSpecification": {
                            "LaunchTemplateId": "lt-arm",
                            "Version": "9",
                        },
                    },
                ],
            },
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50},
        }
    }
    assert seen.mixed == POLICY  # what was observed is not changed


def test_an_override_of_an_untouched_template_keeps_its_version() -> None:
    sent = configuration(mixed(), {TEMPLATE: "4"})["MixedInstancesPolicy"]
    assert sent["LaunchTemplate"]["Overrides"][1]["LaunchTemplateSpecification"] == {
        "LaunchTemplateId": "lt-arm",
        "Version": "8",
    }


@pytest.mark.parametrize("template", [None, TemplateVersion("lt-other", "1")])
def test_a_group_without_that_template_has_no_configuration(
    template: TemplateVersion | None,
) -> None:
    with pytest.raises(ValueError, match="group web"):
        configuration(replace(group(3), template=template), {TEMPLATE: "4"})


def test_a_refresh_goes_where_its_configuration_says() -> None:
    policy = configuration(mixed(), {TEMPLATE: "4", "lt-arm": "9"})["MixedInstancesPolicy"]
    seen = Refresh("r-1", "InProgress", template=version(4), mixed=policy)
    assert seen.versions == {TEMPLATE: "4", "lt-arm": "9"}
    assert Refresh("r-1", "InProgress").versions == {}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(refresh("InProgress", minutes_ago=5), True, id="there, and since then"),
        pytest.param(refresh("Successful", minutes_ago=5), True, id="ended, too"),
        pytest.param(refresh("InProgress", minutes_ago=31), False, id="older than the rollout"),
        pytest.param(refresh("InProgress", to=5), False, id="to another version"),
        pytest.param(replace(refresh("Pending"), started=None), True, id="not started yet"),
        pytest.param(
            replace(refresh("InProgress"), started=BEGAN.replace(microsecond=0)),
            True,
            id="its time is cut to the second",
        ),
        pytest.param(
            Refresh("r-1", "InProgress", started=BEGAN), False, id="without a configuration"
        ),
    ],
)
def test_knows_its_own(seen: Refresh, expected: bool) -> None:
    began = BEGAN + timedelta(milliseconds=700)
    assert ours(seen, {TEMPLATE: "4"}, began) is expected


def test_a_template_without_a_version_means_the_default() -> None:
    assert template_version({"LaunchTemplateId": "lt-1"}) == TemplateVersion("lt-1", "$Default")
    assert template_version(None) is None


def test_a_group_tells_what_a_refresh_cannot_handle() -> None:
    by_attributes = deepcopy(POLICY)
    by_attributes["LaunchTemplate"]["Overrides"][0] = {"InstanceRequirements": {}}
    assert replace(mixed(), mixed=by_attributes).selects_by_attributes
    own_image = deepcopy(POLICY)
    own_image["LaunchTemplate"]["Overrides"][0]["ImageId"] = "ami-1"
    assert replace(mixed(), mixed=own_image).overrides_images
    for plain in (mixed(), group(3)):
        assert not plain.selects_by_attributes
        assert not plain.overrides_images


def test_a_group_launches_from_its_overrides_too() -> None:
    assert mixed().versions == {TEMPLATE: "3", "lt-arm": "8"}
    assert group(3).versions == {TEMPLATE: "3"}


@pytest.mark.parametrize(
    ("default", "grace", "expected"), [(None, 300, 300), (20, 300, 20), (0, 300, 0)]
)
def test_a_groups_own_warmup(default: int | None, grace: int, expected: int) -> None:
    seen = replace(group(3), default_warmup_seconds=default, health_check_grace_seconds=grace)
    assert seen.warmup_seconds == expected


def test_goes_forward_until_it_turns_or_ends() -> None:
    now = BEGAN + timedelta(hours=1)
    turned, ended = BEGAN + timedelta(minutes=5), BEGAN + timedelta(minutes=9)
    active = replace(refresh("InProgress"), started=BEGAN, ended=None)
    assert active.forward(now) == (BEGAN, now)
    assert replace(active, ended=ended).forward(now) == (BEGAN, ended)
    assert replace(active, ended=ended, turned=turned).forward(now) == (BEGAN, turned)
    assert replace(active, started=None).forward(now) is None
