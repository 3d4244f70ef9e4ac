"""The Lambda process dies in the middle of a bake, and the retry finds what it had done."""

from __future__ import annotations

from collections import Counter

from sandbox.cloud.kernel import Call
from tests.sandbox.deployed.stack import Stack, release

WORST_MOMENTS = ("RunInstances", "SendCommand", "CreateImage")


def test_a_bake_is_killed_after_each_thing_that_it_makes(stack: Stack) -> None:
    killed: Counter[str] = Counter()

    def kill(call: Call) -> None:
        """AWS has done it, and the function dies before it hears so."""
        if call.operation in WORST_MOMENTS and not call.error and not killed[call.operation]:
            killed[call.operation] += stack.sandbox.emulator.kill("BakeImage")

    stack.sandbox.cloud.watchers.append(kill)
    try:
        rollout = stack.started_by(lambda: stack.upload(release("killed"), "web/killed.tar.gz"))
        ended = rollout.ended()
    finally:
        stack.sandbox.cloud.watchers.remove(kill)

    assert killed == dict.fromkeys(WORST_MOMENTS, 1)
    assert rollout.failures().count("Runtime.ExitError") == len(WORST_MOMENTS)
    assert ended["status"] == "SUCCEEDED"
    assert [image["ImageId"] for image in stack.baked_by(rollout.name)] == [stack.image]
    assert stack.builders_of(rollout.name) in ([], ["terminated"])
    assert stack.served == {"killed"}
