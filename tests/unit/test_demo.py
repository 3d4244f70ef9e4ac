"""The show as data, as a table and as a page."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import Any

import pytest

from sandbox.demo import report, summary
from sandbox.demo.fleet_view import FleetView
from sandbox.demo.picture import picture
from sandbox.demo.recording import NOBODY, Act, InstanceSeen, Moment, Show, StateEntered
from sandbox.demo.traffic import Tally

OLD = InstanceSeen("i-old", "version 1", "serving", "healthy")
NEW = InstanceSeen("i-new", "version 2", "starting", "initial")
SERVING = InstanceSeen("i-new", "version 2", "serving", "healthy")


def moment(at: float, *instances: InstanceSeen, holder: str, answered: int, lost: int) -> Moment:
    return Moment(
        at, instances, (("192.0.2.1", holder),), False, Tally(answered, lost), Tally(answered, 0)
    )


def act(result: str = "SUCCEEDED", *states: str, lost: int = 0) -> Act:
    played = Act("1. A <push>", "what is promised", began=10.0, ended=20.0, result=result)
    played.states = [StateEntered(11.0 + place, name) for place, name in enumerate(states)]
    played.moments = [
        moment(10.0, OLD, holder="i-old", answered=100, lost=0),
        moment(12.0, OLD, NEW, holder="i-old", answered=120, lost=0),
        moment(14.0, OLD, SERVING, holder=NOBODY, answered=140, lost=lost),
        moment(18.0, SERVING, holder="i-new", answered=180, lost=lost),
    ]
    return played


@pytest.mark.parametrize(
    ("played", "outcome"),
    [
        pytest.param(act("FAILED", "Plan", "Bake", "Roll", "Undo"), "undone", id="failed"),
        pytest.param(act("SUCCEEDED", "Plan"), "nothing to do", id="ended after the plan"),
        pytest.param(act("SUCCEEDED", "Plan", "Roll"), "rolled, no bake", id="image known"),
    ],
)
def test_an_act_says_what_became_of_it(played: Act, outcome: str) -> None:
    assert played.outcome == outcome


def test_an_act_counts_only_its_own_requests() -> None:
    assert act(lost=3).served() == (Tally(80, 3), Tally(80, 0))


def test_instances_are_counted_by_version_and_phase() -> None:
    assert act().moments[1].by_version("serving") == Counter({"version 1": 1})


def test_the_table_has_a_cell_for_each_column_in_cloud_time() -> None:
    show = Show(speed=30, acts=[act("SUCCEEDED", "Plan", "Roll", lost=2)])
    (row,) = summary.rows(show)
    assert len(row) == len(summary.columns())
    assert row[:4] == ("1. A <push>", "rolled, no bake", "5:00", "80 / 2")


def test_the_picture_is_well_formed_and_shows_what_went_wrong() -> None:
    show = Show(speed=30, acts=[act("SUCCEEDED", "Plan", "Roll", lost=2)])
    drawn = picture(show, show.acts[0], {"version 1": "#111", "version 2": "#222"})
    root = ElementTree.fromstring(drawn)
    titles = [title.text for title in root.iter("title")]
    assert "192.0.2.1 points nowhere" in titles
    assert "i-new version 2, starting" in titles
    assert "2 lost" in titles


def test_the_page_escapes_what_it_is_told_and_loads_nothing() -> None:
    page = report.page(Show(speed=30, acts=[act("FAILED", "Plan", "Undo")]))
    assert "1. A &lt;push&gt;" in page
    assert "<push>" not in page
    assert "http" not in page


def test_the_view_reads_the_fleet_as_aws_describes_it() -> None:
    answers: dict[str, dict[str, Any]] = {
        "DescribeAutoScalingGroups": {
            "AutoScalingGroups": [
                {
                    "TargetGroupARNs": ["arn:target"],
                    "Instances": [
                        {
                            "InstanceId": instance,
                            "LifecycleState": state,
                            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
                        }
                        for instance, state in (("i-a", "InService"), ("i-b", "Terminating:Wait"))
                    ],
                }
            ]
        },
        "DescribeTargetHealth": {
            "TargetHealthDescriptions": [
                {"Target": {"Id": "i-a"}, "TargetHealth": {"State": "healthy"}}
            ]
        },
        "DescribeLaunchTemplateVersions": {
            "LaunchTemplateVersions": [{"LaunchTemplateData": {"ImageId": "ami-1"}}]
        },
        "DescribeImages": {
            "Images": [{"Tags": [{"Key": "ovenbird:revision", "Value": "abc"}]}],
        },
    }
    view = FleetView(lambda _service, operation, _params: answers[operation], "web", "version 1")
    view.labels["abc"] = "version 2"
    assert [(seen.version, seen.phase, seen.health) for seen in view.instances()] == [
        ("version 2", "serving", "healthy"),
        ("version 2", "leaving", "–"),
    ]
