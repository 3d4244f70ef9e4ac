"""A release that passes its self-test and fails on the fleet."""

from __future__ import annotations

from sandbox import fleet, releases
from sandbox.demo.traffic import Traffic
from tests.sandbox.deployed.rollout import eventually
from tests.sandbox.deployed.stack import Stack


def test_a_bad_release_is_undone(stack: Stack) -> None:
    version, served = stack.version, stack.served
    visitors = Traffic(stack.sandbox.balancer_url, {})
    visitors.start()

    rollout = stack.started_by(
        lambda: stack.upload(releases.build_artifact(releases.BAD), "web/bad.tar.gz")
    )
    ended = rollout.ended()

    visitors.stop()
    assert visitors.losses() == []
    assert (ended["status"], ended["error"]) == ("FAILED", "RollFailed")
    assert stack.refreshes[0]["Status"] == "RollbackSuccessful"
    assert stack.version == version
    assert len(stack.group["Instances"]) == stack.group["DesiredCapacity"]
    assert stack.served == served

    (image,) = stack.baked_by(rollout.name)
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    assert tags["ovenbird:bad"].startswith(rollout.name)
    assert stack.builders_of(rollout.name) in ([], ["terminated"])

    notice = stack.notice_of(rollout.name)
    assert notice.startswith("Ovenbird: web: ")
    assert "RollFailed" in notice
    assert "What to do: Find out why the new instances did not work" in notice

    lane = stack.remembered("lane#web")
    assert lane["fence"]
    assert "holder" not in lane
    assert "queued" not in lane

    cloudwatch = stack.sandbox.cloud.cloudwatch
    eventually(lambda: cloudwatch.states([fleet.ALARM]) == {fleet.ALARM: "OK"}, 20)
