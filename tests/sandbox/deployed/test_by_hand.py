"""A person at a terminal who has nothing but the exports that ``sandbox up`` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox import releases, status
from tests.sandbox.deployed.stack import Stack, get


def test_a_plan_a_push_and_a_look(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = stack.state()
    release = {"bucket": stack.fleet.bucket, "key": "web/web-2.tar.gz"}
    wish = json.dumps({"fleet": "web", "dry_run": True, "release": release})
    plan = json.loads(
        stack.shell("sam", "remote", "invoke", "PlanRolloutFunction", "--event", wish)
    )
    assert (plan["result"], plan["group"], plan["from"]["image"]) == ("planned", "web", stack.image)
    assert [step.split()[0] for step in plan["steps"][:3]] == ["Bake", "Publish", "Roll"]
    assert stack.state() == state

    before = stack.version
    artifact = tmp_path / "2.tar.gz"
    artifact.write_bytes(releases.build_artifact("2"))
    upload = ("aws", "s3", "cp", str(artifact), f"s3://{stack.fleet.bucket}/web/2.tar.gz")
    rollout = stack.started_by(lambda: stack.shell(*upload))
    assert rollout.ended()["status"] == "SUCCEEDED"

    refreshes = stack.aws(
        "autoscaling", "describe-instance-refreshes", "--auto-scaling-group-name", "web"
    )["InstanceRefreshes"]
    assert refreshes[0]["Status"] == "Successful"
    wanted = refreshes[0]["DesiredConfiguration"]["LaunchTemplate"]["Version"]
    assert wanted == stack.version != before
    assert [image["ImageId"] for image in stack.baked_by(rollout.name)] == [stack.image]

    addresses = stack.aws("ec2", "describe-addresses")["Addresses"]
    fleet = {instance["InstanceId"] for instance in stack.group["Instances"]}
    assert {address["PublicIp"] for address in addresses} == set(stack.sandbox.addresses)
    assert {address["InstanceId"] for address in addresses} < fleet
    for address in addresses:
        page = get(stack.sandbox.addresses[address["PublicIp"]])
        assert page == f"Good morning from version 2 on {address['InstanceId']}\n"
    assert stack.served == {"2"}

    capsys.readouterr()
    assert status.show(stack.sandbox.endpoint, stack.sandbox.keys.people, watch=False) == 0
    shown = capsys.readouterr().out
    assert f"web: 2 ≤ 4 ≤ 8, 4 on version {wanted}" in shown
    assert "refresh Successful 100 %" in shown
    for address in addresses:
        assert address["InstanceId"] in shown
