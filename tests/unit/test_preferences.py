from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core.preferences import Preferences, preferences, surge
from ovenbird.fleet import RollSettings


@pytest.mark.parametrize(
    ("desired", "least", "most", "ahead"),
    [
        pytest.param(1, 100, 200, 1, id="a group of one launches before it terminates"),
        pytest.param(2, 100, 150, 1, id="two"),
        pytest.param(3, 100, 134, 1, id="three: a third is rounded up, so that one fits"),
        pytest.param(4, 100, 125, 1, id="four"),
        pytest.param(10, 100, 110, 1, id="ten"),
        pytest.param(20, 100, 110, 2, id="more than ten: a tenth at a time"),
        pytest.param(0, 100, 200, 0, id="an empty group needs no room"),
    ],
)
def test_safe_defaults_by_size(desired: int, least: int, most: int, ahead: int) -> None:
    chosen = preferences(RollSettings(), desired=desired, addresses=False)
    assert (chosen.min_healthy_percent, chosen.max_healthy_percent) == (least, most)
    assert surge(chosen, desired) == ahead


@pytest.mark.parametrize(
    ("wishes", "least", "most"),
    [
        pytest.param({"min_healthy_percent": 50}, 50, 125, id="only the minimum"),
        pytest.param({"max_healthy_percent": 100}, 100, 100, id="only the maximum"),
        pytest.param({"min_healthy_percent": 0}, 0, 100, id="at most 100 apart"),
        pytest.param({"min_healthy_percent": 90, "max_healthy_percent": 150}, 90, 150, id="both"),
    ],
)
def test_what_the_owner_says_wins(wishes: dict[str, Any], least: int, most: int) -> None:
    chosen = preferences(RollSettings(**wishes), desired=4, addresses=False)
    assert (chosen.min_healthy_percent, chosen.max_healthy_percent) == (least, most)


@pytest.mark.parametrize(
    ("least", "most", "desired", "ahead"),
    [
        pytest.param(100, 100, 4, 1, id="nothing fits between: one is launched first"),
        pytest.param(90, 100, 4, 1, id="less than one fits between"),
        pytest.param(50, 100, 4, 0, id="terminates first"),
        pytest.param(100, 200, 4, 4, id="all at once"),
        pytest.param(0, 100, 4, 0, id="all at once, without capacity"),
    ],
)
def test_surge(least: int, most: int, desired: int, ahead: int) -> None:
    assert surge(Preferences(least, most, 0), desired) == ahead


@pytest.mark.parametrize(
    ("wish", "of_group", "addresses", "expected"),
    [
        pytest.param(None, 0, False, 0, id="none at all"),
        pytest.param(None, 300, False, 300, id="the group's own"),
        pytest.param(None, 10, True, 60, id="addresses need a moment"),
        pytest.param(None, 300, True, 300, id="the group's own is long enough for addresses"),
        pytest.param(5, 300, True, 5, id="the owner's"),
    ],
)
def test_warmup(wish: int | None, of_group: int, addresses: bool, expected: int) -> None:
    chosen = preferences(
        RollSettings(warmup_seconds=wish),
        desired=4,
        addresses=addresses,
        group_warmup_seconds=of_group,
    )
    assert chosen.warmup_seconds == expected


def test_says_everything_to_aws() -> None:
    wishes = RollSettings(checkpoints=(20, 50), bake_time_seconds=60, alarms=("web-5xx",))
    assert preferences(wishes, desired=10, addresses=False).to_aws() == {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 110,
        "InstanceWarmup": 0,
        "CheckpointPercentages": [20, 50, 100],
        "CheckpointDelay": 3600,
        "BakeTime": 60,
        "SkipMatching": True,
        "AutoRollback": True,
        "AlarmSpecification": {"Alarms": ["web-5xx"]},
        "ScaleInProtectedInstances": "Refresh",
        "StandbyInstances": "Ignore",
    }


def test_leaves_out_only_what_aws_has_no_other_default_for() -> None:
    said = preferences(RollSettings(), desired=1, addresses=False).to_aws()
    assert set(said) == {
        "MinHealthyPercentage",
        "MaxHealthyPercentage",
        "InstanceWarmup",
        "BakeTime",
        "SkipMatching",
        "AutoRollback",
        "ScaleInProtectedInstances",
        "StandbyInstances",
    }


def test_the_way_back_neither_pauses_nor_asks_alarms() -> None:
    wishes = RollSettings(
        checkpoints=(50, 100), bake_time_seconds=60, alarms=("web-5xx",), skip_matching=False
    )
    back = preferences(wishes, desired=4, addresses=False).back().to_aws()
    assert back["SkipMatching"] is True
    assert back["AutoRollback"] is False
    assert back["BakeTime"] == 0
    assert not {"AlarmSpecification", "CheckpointPercentages", "CheckpointDelay"} & set(back)
    assert back["MinHealthyPercentage"] == 100


@given(
    desired=st.integers(0, 1000),
    least=st.none() | st.integers(0, 100),
    most=st.none() | st.integers(100, 200),
)
def test_aws_accepts_the_percentages(desired: int, least: int | None, most: int | None) -> None:
    if least is not None and most is not None and most - least > 100:
        return  # the fleet document refuses it
    chosen = preferences(
        RollSettings(min_healthy_percent=least, max_healthy_percent=most),
        desired=desired,
        addresses=False,
    )
    assert 0 <= chosen.min_healthy_percent <= 100 <= chosen.max_healthy_percent <= 200
    assert chosen.max_healthy_percent - chosen.min_healthy_percent <= 100
    if least is None and desired:
        assert surge(chosen, desired) >= 1
