"""What must hold after every call of a story, and at its end.

They look at the model cloud itself, not through its API, so that eventual consistency hides
nothing from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ovenbird.core import releases
from tests.stories.asl.execution import Execution
from tests.stories.calls import HandlerCall
from tests.stories.fleets import Fleet, version_of
from tests.stories.world import World

# What a rollout may never call: it writes no size and suspends no process, and deletes no image.
_FORBIDDEN = {
    "CreateOrUpdateTags",
    "DeregisterImage",
    "DetachInstances",
    "EnterStandby",
    "ResumeProcesses",
    "SetDesiredCapacity",
    "SetInstanceHealth",
    "SuspendProcesses",
    "TerminateInstanceInAutoScalingGroup",
}
_SIZES = {"MinSize", "MaxSize", "DesiredCapacity"}
RESULTS = {
    "released",
    "rolled-back",
    "nothing-to-do",
    "planned",
    "stale",
    "superseded",
}


class Broken(BaseException):
    """An invariant does not hold. Not an ``Exception``: no handler's failure may hide it."""


@dataclass
class Invariants:
    """Watches a fleet; ``promised`` is how many serving instances it must always have.

    ``forgive`` after a story itself has broken something, or the size was changed by others.
    ``harmed`` are instances that fail by themselves or by somebody's hand, ``deleted`` images that
    somebody else deleted: nobody promises them.
    """

    world: World
    fleet: Fleet
    min_healthy_percent: int = 100
    may_pin: bool = False
    strangers: dict[str, str] = field(default_factory=dict)  # allocation → holder
    leftovers: set[str] = field(default_factory=set)  # rollouts checked for leftovers
    harmed: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    waived: bool = False  # new instances are kept from the balancer by somebody's hand
    exhausted: bool = False  # a function was killed until its retries were used up
    _seen: int = 0
    _served: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.forgive()
        self.saved = self.fleet.saved_version
        self.world.watchers.append(self.check)

    def forgive(self, but: int = 0) -> None:
        """From now on, what stands now (but for ``but`` instances) is what must be kept."""
        self.promised = (len(self.fleet.serving) - but) * self.min_healthy_percent // 100
        self.desired = self.fleet.group.desired
        self.see_strangers()

    def has_served(self, instance: str) -> None:
        """It was healthy, perhaps only between two calls."""
        self._served.add(instance)

    def see_strangers(self) -> None:
        """Who holds an address of the fleet now and is no instance of it must be left alone."""
        self.strangers = self._strangers()

    def edited(self) -> None:
        """Somebody has edited the group: what it says now is what must be kept."""
        self.saved = self.fleet.saved_version

    def check(self) -> None:
        """After every call."""
        self._capacity()
        self._one_refresh()
        self._one_holder_each()
        self._no_stranger_robbed()
        self._images_in_use_exist()
        self._saved_configuration()
        for call in self.world.calls[self._seen :]:
            self._allowed(call)
        self._seen = len(self.world.calls)
        self._nothing_outlives_its_rollout()

    def at_end(self) -> None:
        """When no execution runs any more."""
        self.world.run_for(minutes=3)  # what was terminated is gone, what drains has drained
        self.check()
        self._lane_is_free()
        self._every_rollout_has_a_result()
        self._addresses_are_on_serving_instances()
        builders = [one.instance_id for one in self.fleet.builders if one.state != "terminated"]
        _holds(not builders, f"builders are left: {builders}")
        _holds(not self.world.delivery.dead, f"dead letters: {self.world.delivery.dead}")

    # After every call ----------------------------------------------------------------------

    def _capacity(self) -> None:
        desired, served = self.fleet.group.desired, set(self.fleet.serving)
        lost, serving = len((self._served - served) & self.harmed), len(served)
        if self.waived:
            self.promised = 0
        if desired < self.desired:  # scaled in by others
            self.promised = min(self.promised, desired * self.min_healthy_percent // 100)
        self.promised, self._served = max(0, self.promised - lost), served
        self.desired = desired
        # Healthy at its present size again. One that is not warm yet does not count for AWS, and
        # may be replaced while others are lost.
        if not self.waived and serving >= desired and len(self.fleet.warm) >= desired:
            believed = len(self._believed() & self.harmed - served)
            self.promised = max(0, desired * self.min_healthy_percent // 100 - believed)
        _holds(
            serving >= self.promised,
            f"{serving} instances serve, {self.promised} were promised (desired {desired})",
        )

    def _believed(self) -> set[str]:
        """Members that AWS takes for healthy whatever their balancers say, once they are warm.

        It ends others for their sake; nothing of ours could hold it back (decision 18).
        """
        group = self.fleet.group
        if "ELB" in group.health_check_type:
            return set()
        return {name for name, one in group.members.items() if one.lifecycle == "InService"}

    def _one_refresh(self) -> None:
        active = [each.refresh_id for each in self.fleet.refreshes if each.is_active]
        _holds(len(active) <= 1, f"several refreshes are active: {active}")

    def _one_holder_each(self) -> None:
        holders = list(self.fleet.holders.values())
        _holds(len(holders) == len(set(holders)), f"one instance holds two addresses: {holders}")

    def _strangers(self) -> dict[str, str]:
        return {
            allocation: holder
            for allocation, holder in self.fleet.holders.items()
            if self.fleet.tags(holder).get("aws:autoscaling:groupName") != self.fleet.name
        }

    def _no_stranger_robbed(self) -> None:
        holders = self.fleet.holders
        for allocation, stranger in self.strangers.items():
            alive = self.world.cloud.ec2.instances.all[stranger].is_alive
            _holds(
                not alive or holders.get(allocation) == stranger,
                f"{allocation} was taken from the stranger {stranger}",
            )

    def _images_in_use_exist(self) -> None:
        known = self.world.cloud.ec2.images.all
        for instance in self.world.cloud.ec2.instances.all.values():
            _holds(
                not instance.is_alive
                or instance.image_id in known
                or instance.image_id in self.deleted,
                f"{instance.image_id} is gone, and {instance.instance_id} was made from it",
            )

    def _saved_configuration(self) -> None:
        saved = self.fleet.saved_version
        if saved == self.saved:
            return
        by_refresh = any(
            each.status == "Successful"
            and each.desired is not None
            and version_of(each.desired) == saved
            for each in self.fleet.refreshes
        )
        pinned = self.may_pin and self.saved.startswith("$")
        _holds(by_refresh or pinned, f"the group was edited: {self.saved} → {saved}")
        self.saved = saved

    def _allowed(self, call: HandlerCall) -> None:
        _holds(call.operation not in _FORBIDDEN, f"{call.function} called {call.operation}")
        if call.operation == "UpdateAutoScalingGroup":
            _holds(
                not _SIZES & set(call.params),
                f"{call.function} wrote sizes: {call.params}",
            )
        if call.operation == "AssociateAddress":
            _holds(
                "AllowReassociation" in call.params,
                f"{call.function} left AllowReassociation to its default",
            )

    def _nothing_outlives_its_rollout(self) -> None:
        for execution in self.world.rollouts:
            rollout = releases.rollout_of(execution.name)
            if execution.running or rollout in self.leftovers or not self._is_over(execution):
                continue
            self.leftovers.add(rollout)
            alive = [
                one.instance_id
                for one in self.fleet.builders
                if one.is_alive and self.fleet.tags(one.instance_id)["ovenbird:rollout"] == rollout
            ]
            _holds(not alive, f"{execution.name} ended and left builders: {alive}")
            kept = {
                one for image in self.world.cloud.ec2.images.all.values() for one in image.snapshots
            }
            lost = set(self.world.cloud.ec2.snapshots.all) - kept
            _holds(not lost, f"{execution.name} ended and left snapshots: {lost}")

    # At the end ----------------------------------------------------------------------------

    def _lane_is_free(self) -> None:
        lane = self.world.ledger().get(f"lane#{self.fleet.name}", {})
        _holds("holder" not in lane, f"the lane is not free: {lane}")
        _holds("queued" not in lane, f"somebody still waits for the lane: {lane}")

    def _is_over(self, execution: Execution) -> bool:
        """Whether it has left nothing to an execution that undoes it."""
        return (
            execution.status == "SUCCEEDED"
            or bool(json.loads(execution.text).get("dry_run"))
            or bool(self._result(execution))
        )

    def _result(self, execution: Execution) -> str:
        """As the ledger has it."""
        key = f"rollout#{releases.rollout_of(execution.name)}"
        return str(self.world.ledger().get(key, {}).get("result", {}).get("S", ""))

    def _every_rollout_has_a_result(self) -> None:
        names = {execution.name for execution in self.world.rollouts}
        for execution in self.world.rollouts:
            dry, failed = json.loads(execution.text).get("dry_run"), execution.status == "FAILED"
            _holds(not execution.running, f"{execution.name} runs")
            result = self._result(execution)
            if dry and execution.status == "ABORTED":
                continue  # nobody asks any more
            if dry:  # it leaves nothing behind
                result = execution.error if failed else execution.output["plan"]["result"]
            if execution.status == "SUCCEEDED":
                _holds(result in RESULTS, f"{execution.name} ended with {result!r}")
            elif failed and not _is_dead(execution, names):
                _holds(
                    result == execution.error or self.exhausted,
                    f"{execution.name} failed with {execution.error}, remembered as {result!r}",
                )
            else:
                _holds(bool(result), f"{execution.name} died, and nobody has noticed")

    def _addresses_are_on_serving_instances(self) -> None:
        serving, holders = self.fleet.serving, self.fleet.holders
        for allocation, holder in holders.items():
            _holds(
                allocation in self.strangers or holder in serving,
                f"{allocation} is on {holder}, which does not serve",
            )
        ours = set(self.fleet.allocations) - set(self.strangers)
        free = sorted(ours - set(holders))
        idle = [one for one in serving if one not in holders.values()]
        _holds(not free or not idle, f"{free} are free although {idle} could hold them")


def _is_dead(execution: Execution, names: set[str]) -> bool:
    """Whether Step Functions has ended it, or its own undo could not be run."""
    return execution.error.startswith("States.") or releases.undo_name(execution.name) in names


def _holds(condition: bool, message: str) -> None:
    if not condition:
        raise Broken(message)
