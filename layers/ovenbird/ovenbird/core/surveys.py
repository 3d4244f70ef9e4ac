"""A survey: everything that a rollout will touch, as it stands. What was seen, nothing judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ovenbird.core.addresses import Address
from ovenbird.core.groups import Group
from ovenbird.core.images import Image
from ovenbird.core.preferences import Preferences, RollWishes
from ovenbird.core.refreshes import Refresh
from ovenbird.core.templates import Version
from ovenbird.core.traffic import Opinion, TargetGroup


class Wishes(RollWishes, Protocol):
    """What is read of the fleet document's ``roll`` part when it is judged."""

    @property
    def give_up_after_minutes(self) -> int: ...
    @property
    def pin(self) -> bool: ...


@dataclass(frozen=True)
class Survey:
    """What was seen of one fleet.

    Args:
        running: The versions that the group launches from, its own first; aliases are resolved.
        template_tags: The tags of each launch template, by its id.
        current: The image that the group launches now; ``None`` where it is gone.
        current_id: Its id, as the template names it; ``None`` where it names none.
        alarms: The states of those alarms of the roll that exist.
        address_count: How many addresses the fleet wants.
        target_groups: The group's target groups.
        opinions: What its balancers say of its instances now; of those that count.
        rehearsal: Why AWS would not let an address be put on an instance now, in its words; empty
            where it would; ``None`` where no instance is there to try it with.
        gateway: Whether the group's VPC has an internet gateway; ``None`` where it was not looked
            at, because an address is on an instance of the group already.
        borders: Zone → network border group, where they may differ from those of the addresses.
    """

    fleet: str
    roll: Wishes
    group: Group
    refreshes: Sequence[Refresh]
    running: Sequence[Version]
    preferences: Preferences | None
    current_id: str | None
    current: Image | None
    template_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    alarms: Mapping[str, str] = field(default_factory=dict, hash=False)
    pool: Sequence[Address] = ()
    address_count: int = 0
    target_groups: Sequence[TargetGroup] = ()
    opinions: Sequence[Opinion] = ()
    rehearsal: str | None = None
    gateway: bool | None = None
    borders: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def left_out(self) -> tuple[str, ...]:
        """ARNs of the target groups whose opinion does not count."""
        return tuple(each.arn for each in self.target_groups if each.left_out)
