"""A roll-back by hand, through the deployed functions."""

from __future__ import annotations

from sandbox import fleet
from tests.sandbox.deployed.rollout import eventually
from tests.sandbox.deployed.stack import Stack, sample


def test_a_roll_back_needs_no_bake_and_an_alarm_is_only_a_hint(stack: Stack) -> None:
    if not stack.remembered("fleet#web"):
        assert stack.release("before")["status"] == "SUCCEEDED"
    images = [each["S"] for each in stack.remembered("fleet#web")["images"]["L"]]
    assert stack.image == images[-1]
    known = stack.images

    rollout = stack.started_by(lambda: stack.invoke("AcceptRelease", sample("roll-back")))
    refresh = eventually(
        lambda: [each for each in stack.refreshes if each["Status"] == "InProgress"], 20
    )[0]["InstanceRefreshId"]
    eventually(lambda: stack.remembered("lane#web").get("doorbell") == {"S": refresh})

    alarm = sample("answer-alarm.action")
    alarm["alarmData"]["alarmName"] = fleet.ALARM
    assert stack.invoke("AnswerAlarm", alarm).payload["rung"] == [refresh]

    assert rollout.ended()["status"] == "SUCCEEDED"
    assert stack.image == images[-2]
    assert stack.images == known
    assert "was rolled back" in stack.notice_of(rollout.name)
