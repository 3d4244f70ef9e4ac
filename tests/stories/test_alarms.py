"""An alarm of the fleet wakes its rollout at once; AWS itself rolls back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.stories.alarms import alarm, set_alarm
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.template import ROOT
from tests.stories.test_roll_failures import half_way

ALARMS = {"alarms": ["web-5xx"]}


def rings(web: Fleet) -> int:
    """How often the doorbell of the refresh has rung."""
    bell = f"doorbell#{web.refreshes[0].refresh_id}"
    return int(web.world.ledger()[bell]["rings"]["N"])


def direct_action(name: str) -> dict[str, Any]:
    """What CloudWatch sends to a function that is the alarm's own action."""
    samples = ROOT / "events"
    for path in sorted(samples.glob("*alarm*.json")):
        event: dict[str, Any] = json.loads(path.read_text())
        if event.get("source") == "aws.cloudwatch" and "alarmData" in event:
            event["alarmData"]["alarmName"] = name
            return event
    raise AssertionError("there is no sample of a direct alarm action in events/")


def test_an_alarm_ends_the_rollout_long_before_the_sweep() -> None:
    with a_fleet(roll=ALARMS) as web:
        alarm(web.world)
        web.world.delivery.lost.add("EC2 Auto Scaling")
        web.world.upload("two")
        half_way(web)
        rang = web.world.now()
        before = rings(web)
        set_alarm(web.world, "ALARM")
        web.world.run_for(seconds=10)
        assert rings(web) == before + 1
        rollout = web.world.finish()
        assert rollout.error == "RollFailed"
        assert web.is_as_before()
        assert rollout.stopped is not None
        assert rollout.stopped - rang < timedelta(minutes=30)


@pytest.mark.parametrize("name", ["web-5xx", "somebody-elses"])
def test_as_a_direct_action_it_rings_too_if_the_fleet_names_it(name: str) -> None:
    with a_fleet(roll=ALARMS) as web:
        alarm(web.world)
        new = web.world.upload("two")
        half_way(web)
        before = rings(web)
        answer = web.world.ask("answer_alarm", direct_action(name))
        assert rings(web) == before + (name == "web-5xx")
        assert answer["reason"]
        web.world.finish()
        assert web.revisions == {new: 4}


def test_without_a_rollout_it_rings_nothing() -> None:
    with a_fleet(roll=ALARMS) as web:
        alarm(web.world)
        set_alarm(web.world, "ALARM")
        web.world.run_for(minutes=1)
        assert not web.world.rollouts
        set_alarm(web.world, "OK")
