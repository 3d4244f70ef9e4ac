"""What may become of a builder and of the script on it; the rest is in test_bake_failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.cloud.imaginary import Ending, Script
from sandbox.cloud.machines import CommandOutcome
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import DOCUMENT, Fleet
from tests.stories.story import a_fleet


def failed(web: Fleet) -> str:
    """The notice of a bake that failed, and nothing is left of it."""
    assert web.world.finish(hours=12).error == "BakeFailed"
    assert web.is_as_before()
    assert not web.refreshes
    return web.world.notices[-1]


def test_one_that_boots_for_ever_is_given_up() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        (builder,) = web.builders
        builder.change += 1  # what was to become of it does not
        began = web.world.now()
        assert "did not start within 15 minutes" in failed(web)
        stopped = web.world.rollouts[0].stopped
        assert stopped is not None and stopped - began < timedelta(minutes=17)


def test_what_its_script_said_last_is_told_where_aws_cuts_its_output() -> None:
    """Run Command keeps the first 24,000 characters of what a script says."""
    said = "".join(f"line {number} of many\n" for number in range(5000))
    with a_fleet() as web:
        outcome = CommandOutcome(2, stdout=said, stderr="tar: not an archive\n")
        web.world.machines.ends = lambda _script: Ending(outcome=outcome)
        web.world.upload("two")
        notice = failed(web)
        assert "tar: not an archive" in notice
        assert len(notice) < 6000


def test_a_script_of_whose_end_nobody_tells_is_given_up() -> None:
    """The whole machine hangs: not even the end of the script's time is reported.

    Its time: 15 minutes for the first boot, 5 for the owner's phases, 5 for the clean-up.
    """
    with a_fleet() as web:
        web.document(bake=DOCUMENT["bake"] | {"timeout_minutes": 5}, addresses={"count": 2})

        def silent(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "ListCommandInvocations":
                for invocation in answer["CommandInvocations"]:
                    invocation["Status"] = invocation["StatusDetails"] = "InProgress"
            return answer

        web.world.interference = silent
        web.world.upload("two")
        assert "is still InProgress long after its time of 25 minutes" in failed(web)


def test_one_that_does_not_stop_is_given_up() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: any(one.state == "stopping" for one in web.builders))
        (builder,) = web.builders
        builder.change += 1
        assert "did not stop within 15 minutes" in failed(web)


# The script's own words -----------------------------------------------------------------------


def script_ends(web: Fleet, code: int, words: str, output: str = "") -> None:
    """As the script and then the agent write it."""
    stderr = f"{output}\n\novenbird: {words}\nfailed to run commands: exit status {code}"
    outcome = CommandOutcome(code, stderr=stderr)
    web.world.machines.ends = lambda _script: Ending(timedelta(minutes=2), outcome)


def test_what_the_first_boot_still_does_is_waited_for() -> None:
    """hashicorp/packer#2639: cloud-init holds the package manager's lock for three minutes."""

    def locked(script: Script) -> Ending:
        waits = any("cloud-init status --wait" in line for line in script.lines)
        begins = next(i for i, line in enumerate(script.lines) if line.startswith("phase "))
        assert script.lines[begins].startswith("phase boot ")
        lock = CommandOutcome(100, stderr="E: Could not get lock /var/lib/dpkg/lock-frontend")
        return Ending() if waits else Ending(outcome=lock)

    with a_fleet() as web:
        web.world.machines.ends = locked
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}


def test_a_fleet_may_begin_before_the_first_boot_has_ended() -> None:
    with a_fleet() as web:
        web.document(bake=DOCUMENT["bake"] | {"boot_minutes": 0}, addresses={"count": 2})
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        (script,) = web.world.machines.scripts
        assert not any("cloud-init status" in line for line in script.lines)


def test_a_first_boot_that_does_not_end_is_told_and_nobodys_release_is_blamed() -> None:
    with a_fleet() as web:
        words = "boot did not end within 15 minutes; see /var/log/cloud-init.log"
        script_ends(web, 124, words, "waits for apt-daily-upgrade.service")
        web.world.upload("two")
        notice = failed(web)
        assert "Why: The first boot did not end within 15 minutes; see /var/log" in notice
        assert "> waits for apt-daily-upgrade.service" in notice
        assert "the base image" in notice.split("What to do: ")[1]


def test_a_script_that_asks_for_a_reboot_is_told_so() -> None:
    with a_fleet() as web:
        words = "install ended with 194, which asks the agent for a reboot; a bake does not reboot"
        script_ends(web, 1, words)
        web.world.upload("two")
        assert "Why: Install ended with 194, which asks the agent for a reboot" in failed(web)


def test_a_script_that_restarted_the_machine_is_told_so() -> None:
    with a_fleet() as web:
        how = "the machine was restarted meanwhile, and a bake does not reboot"
        script_ends(web, 1, f"install was cut off: {how}")
        web.world.upload("two")
        assert f"Why: Install was cut off: {how}." in failed(web)


def test_a_script_that_shuts_the_machine_down_is_told_so() -> None:
    with a_fleet() as web:
        web.world.machines.ends = lambda _script: Ending(after=None)
        said = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"

        def told(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "DescribeInstances":
                for reservation in answer["Reservations"]:
                    for each in reservation["Instances"]:
                        if each["State"]["Name"] in ("stopping", "stopped"):
                            each["StateReason"] = {"Code": said.split(":")[0], "Message": said}
            return answer

        web.world.interference = told
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.world.machines.scripts))
        builder = [one.instance_id for one in web.builders]
        web.world.operator("ec2", "StopInstances", InstanceIds=builder)
        assert "shut itself down before its script had ended; no script may stop" in failed(web)


def test_an_image_has_nothing_of_the_builders_life() -> None:
    """What is removed and how, in real shells: ``tests/unit/test_traces.py``."""
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        (script,) = web.world.machines.scripts
        phases = [line.split()[1] for line in script.lines if line.startswith("phase ")]
        assert phases == ["boot", "download", "install", "verify", "clean"]
        for place in ("/etc/machine-id", "/etc/ssh/ssh_host_*", "/var/lib/amazon/ssm/i-*"):
            assert any(place in line for line in script.lines), place


def test_a_fleet_may_keep_it_and_the_image_is_another_one() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        web.document(bake=DOCUMENT["bake"] | {"clean": False}, addresses={"count": 2})
        web.world.run_for(minutes=2)
        web.world.upload("two")
        web.world.finish()
        clean, unclean = web.world.machines.scripts
        assert any("/etc/machine-id" in line for line in clean.lines)
        assert not any("/etc/machine-id" in line for line in unclean.lines)
        assert len(web.images) == 2
