"""What is looked at in both: the invariants that do not care who does the job."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from tests.stories.fleets import OLD
from tests.stories.invariants import Broken, Invariants


@dataclass
class Eyes(Invariants):
    """Sees what breaks, and lets it go on; ``broken`` has the first sentence about each.

    Ovenbird's own rules (which calls it may make, what its ledger says) are not asked of others.
    """

    broken: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._found = set(self.world.cloud.ec2.images.all)

    def check(self) -> None:
        """After every call."""
        self._look("serving instances are as many as promised", self._capacity)
        self._look("one refresh at a time", self._one_refresh)
        self._look("one address, one holder", self._one_holder_each)
        self._look("no stranger is robbed", self._no_stranger_robbed)
        self._look("an image in use exists", self._images_in_use_exist)
        self._look("only a refresh changes the group", self._saved_configuration)

    def judge(self, *, green: Collection[str], pushed: Sequence[str]) -> None:
        """When nothing runs any more.

        Args:
            green: The revisions that were released, by the word of whoever released them.
            pushed: All revisions, oldest first.
        """
        fleet = self.fleet
        self.world.run_for(minutes=3)  # what was terminated is gone, what drains has drained
        self.check()
        self._look("addresses are on serving instances", self._addresses_are_on_serving_instances)
        newest, desired, runs = pushed[-1], fleet.group.desired, dict(fleet.revisions)
        told = f"green are {list(green)}, and the fleet runs {runs}"
        if newest not in green:
            before = any(runs == {each: desired} for each in (OLD, *green))
            self._holds("red means as before", before, told)
        elif len(pushed) > 1:
            self._holds("the newest release wins", runs == {newest: desired}, told)
        else:
            self._holds("green means released", runs == {newest: desired}, told)
        builders = self._left()
        self._holds("no builder outlives its rollout", not builders, f"{builders} live")
        made = set(self.world.cloud.ec2.images.all) - self._found
        self._holds("nothing is made twice", len(made) <= len(pushed), f"{len(made)} images")

    def _left(self) -> list[str]:
        """Living instances that are neither the group's nor somebody else's."""
        return [
            one.instance_id
            for one in self.world.cloud.ec2.instances.all.values()
            if one.is_alive
            and one.instance_id not in self.fleet.group.members
            and self.fleet.tags(one.instance_id).get("ovenbird:fleet") == self.fleet.name
            and "aws:autoscaling:groupName" not in self.fleet.tags(one.instance_id)
        ]

    def _look(self, name: str, check: Callable[[], None]) -> None:
        try:
            check()
        except Broken as broken:
            self.broken.setdefault(name, str(broken))

    def _holds(self, name: str, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.setdefault(name, otherwise)
