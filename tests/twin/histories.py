"""What happens to a fleet while a release is under way: the faults, told once for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.cloud.imaginary import Ending
from tests.stories.fleets import OLD, Fleet
from tests.stories.test_addresses import stranger
from tests.stories.test_bake_failures import BROKEN

Strike = Callable[[Fleet], None]


@dataclass(frozen=True)
class History:
    """One release (two with ``twice``, a minute apart) in the weather that ``strike`` makes.

    ``breaks`` are the invariants that the script breaks in it; Ovenbird breaks none in any.
    """

    name: str
    strike: Strike
    breaks: tuple[str, ...] = ()
    twice: bool = False


def calm(_web: Fleet) -> None:
    """Nothing happens."""


def loses(operation: str, times: int = 1) -> Strike:
    def strike(web: Fleet) -> None:
        web.world.cloud.faults.lose_answer(operation, times=times)

    return strike


def throttles(operation: str) -> Strike:
    def strike(web: Fleet) -> None:
        web.world.cloud.faults.throttle(operation, times=8)

    return strike


def kills(operation: str) -> Strike:
    def strike(web: Fleet) -> None:
        web.world.cloud.faults.kill("after", operation)

    return strike


def sees_late(web: Fleet) -> None:
    web.world.cloud.kernel.visible_after = timedelta(seconds=45)


def is_bad(web: Fleet) -> None:
    web.world.machines.healthy = lambda instance_id, disk: disk.revision == OLD


def does_not_install(web: Fleet) -> None:
    web.world.machines.ends = lambda script: Ending(outcome=BROKEN)


def is_rolled_back(web: Fleet) -> None:
    """A person rolls the refresh back when half of the instances are new."""

    def look() -> None:
        if web.refreshes and 0 < web.revisions[OLD] < web.group.desired:
            web.world.operator("autoscaling", "RollbackInstanceRefresh", AutoScalingGroupName="web")
        else:
            web.world.after(timedelta(seconds=5), look)

    look()


def holds_an_address(web: Fleet) -> None:
    params: dict[str, Any] = {"AllocationId": web.allocations[0], "AllowReassociation": True}
    params["InstanceId"] = stranger(web.world, web)
    web.world.operator("ec2", "AssociateAddress", **params)
    web.forgive()


LEFT = "no builder outlives its rollout"
AGAIN = "nothing is made twice"
NOWHERE = "addresses are on serving instances"
ROBBED = "no stranger is robbed"
GREEN = "green means released"
RED = "red means as before"
OLDER = "the newest release wins"

HISTORIES = (
    History("nothing happens", calm),
    History("RunInstances is answered to nobody", loses("RunInstances", 7), (LEFT,)),
    History("CreateImage is answered to nobody", loses("CreateImage"), (LEFT, AGAIN)),
    History(
        "CreateLaunchTemplateVersion is throttled",
        throttles("CreateLaunchTemplateVersion"),
        (AGAIN,),
    ),
    History(
        "StartInstanceRefresh is answered to nobody",
        loses("StartInstanceRefresh"),
        (AGAIN, NOWHERE, RED),
    ),
    History("killed after RunInstances", kills("RunInstances"), (LEFT,)),
    History("killed after CreateImage", kills("CreateImage"), (LEFT, AGAIN)),
    History(
        "killed after StartInstanceRefresh", kills("StartInstanceRefresh"), (AGAIN, NOWHERE, RED)
    ),
    History("what was made is seen 45 seconds later", sees_late, (LEFT, AGAIN)),
    History("the release does not install", does_not_install, (LEFT,)),
    History("the release is bad", is_bad, (GREEN,)),
    History("a person rolls the refresh back", is_rolled_back, (GREEN,)),
    History("a stranger holds an address", holds_an_address, (ROBBED,)),
    History("a second release a minute later", calm, (OLDER,), twice=True),
)
