"""Which Elastic IP points at which instance.

The addresses of a fleet's pool are slots in a fixed order. A slot keeps its healthy holder; nothing
is taken from a holder outside the fleet's group; and doing what was decided, then deciding again,
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ovenbird.core.groups import Group, Member
from ovenbird.core.refreshes import Refresh


@dataclass(frozen=True)
class Address:
    """An Elastic IP as AWS describes it.

    ``instance_id`` is empty for a free address, and for one that a network interface holds which is
    no instance's; then ``interface_id`` alone is set. ``border_group`` is where it was allocated.
    """

    allocation_id: str
    public_ip: str
    instance_id: str = ""
    interface_id: str = ""
    border_group: str = ""

    @property
    def free(self) -> bool:
        """Whether nobody holds it."""
        return not self.instance_id and not self.interface_id

    @property
    def holder(self) -> str:
        """Who holds it, to be read by a person."""
        return self.instance_id or self.interface_id or "nobody"


@dataclass(frozen=True)
class Candidate:
    """A healthy instance of the group; ``lasting`` when the present refresh will not replace it."""

    instance_id: str
    lasting: bool = True


@dataclass(frozen=True)
class Keep:
    """The address is where it should be."""

    address: Address
    reason: str


@dataclass(frozen=True)
class Associate:
    """Put a free address on an instance; if it is not free any more, AWS shall refuse."""

    address: Address
    instance_id: str
    reason: str


@dataclass(frozen=True)
class Move:
    """Take the address from an instance of our own, or from one that is gone."""

    address: Address
    instance_id: str
    reason: str


@dataclass(frozen=True)
class Leave:
    """Do nothing with the address, though it is on no instance that we would choose.

    ``stranger`` when its holder is not ours: it is reported, not fought for.
    """

    address: Address
    reason: str
    stranger: bool = False


Placement = Keep | Associate | Move | Leave


def decide(
    pool: Sequence[Address],
    candidates: Sequence[Candidate],
    *,
    own: AbstractSet[str],
    gone: AbstractSet[str],
    count: int,
) -> tuple[Placement, ...]:
    """Place ``count`` addresses of the pool; one placement for each address of the pool.

    Args:
        pool: The fleet's addresses, in any order; their slots are in the order of their ids.
        candidates: The healthy instances, in any order.
        own: Every instance of the group, healthy or not.
        gone: Holders that are terminated or about to be; nobody needs the address there.
    """
    slots = sorted(pool, key=lambda address: address.allocation_id)
    lasting = {each.instance_id: each.lasting for each in candidates}
    placed: dict[str, Placement] = {}
    ours: list[Address] = []
    for address in slots:
        if _is_strangers(address, own, gone):
            placed[address.allocation_id] = Leave(
                address,
                f"{address.public_ip} is held by {address.holder}, which is not ours",
                stranger=True,
            )
        else:
            ours.append(address)
    # Those that stand best come first, so that a count lower than the pool moves nothing.
    ours.sort(key=lambda a: (-_standing(a, lasting), a.allocation_id))
    for address in ours[count:]:
        placed[address.allocation_id] = Leave(
            address, f"{address.public_ip} is one more than the {count} that are wanted"
        )
    taken = {address.instance_id for address in pool}
    free = [instance for instance in sorted(lasting) if instance not in taken]
    better = iter([instance for instance in free if lasting[instance]])
    others = iter([instance for instance in free if not lasting[instance]])
    for address in sorted(ours[:count], key=lambda a: (_standing(a, lasting), a.allocation_id)):
        placed[address.allocation_id] = _place(address, lasting, better, others)
    return tuple(placed[address.allocation_id] for address in slots)


def _is_strangers(address: Address, own: AbstractSet[str], gone: AbstractSet[str]) -> bool:
    return not address.free and address.instance_id not in own | gone


def _standing(address: Address, lasting: dict[str, bool]) -> int:
    """2 on a healthy instance that lasts, 1 on a healthy one, 0 elsewhere."""
    if address.instance_id not in lasting:
        return 0
    return 2 if lasting[address.instance_id] else 1


def _place(
    address: Address, lasting: dict[str, bool], better: Iterator[str], others: Iterator[str]
) -> Placement:
    ip, standing = address.public_ip, _standing(address, lasting)
    if standing == 2:
        return Keep(address, f"{ip} stays on {address.instance_id}")
    instance = next(better, "")
    if not instance and standing == 1:
        return Keep(address, f"{ip} stays on {address.instance_id} until a newer one is healthy")
    instance = instance or next(others, "")
    if not instance:
        return Leave(address, f"{ip} has no healthy instance to go to")
    if address.free:
        return Associate(address, instance, f"{ip} is free and goes to {instance}")
    why = "will be replaced" if standing == 1 else "is not healthy"
    return Move(address, instance, f"{ip} moves to {instance}, as {address.holder} {why}")


def whereabouts(pool: Sequence[Address], healthy: AbstractSet[str]) -> list[str]:
    """Where each address of the pool is, a line each: ``203.0.113.7 is on i-1 (healthy)``.

    Args:
        healthy: The instances that may hold an address.
    """
    lines = []
    for address in sorted(pool, key=lambda each: each.public_ip):
        where = "is on nobody" if address.free else f"is on {address.holder}"
        if address.instance_id:
            where += " (healthy)" if address.instance_id in healthy else " (not healthy)"
        lines.append(f"{address.public_ip} {where}")
    return lines


def lasting_versions(group: Group, refreshes: Sequence[Refresh]) -> dict[str, str]:
    """The versions whose instances stay: where the active refresh goes, or else what is saved.

    While a refresh is rolled back or cancelled, the saved configuration is what stays.
    """
    active = next((each for each in refreshes if each.active), None)
    if active is not None and not active.ending and active.versions:
        return active.versions
    return group.versions


def candidates(
    group: Group, healthy: AbstractSet[str] | None, lasting: Mapping[str, str]
) -> tuple[Candidate, ...]:
    """The instances that may hold an address: in service, and healthy for every target group.

    Args:
        healthy: What the group's target groups call healthy; ``None`` for a group without any.
        lasting: Template id → version, of the instances that stay.
    """
    return tuple(
        Candidate(member.instance_id, lasting=_lasts(member, lasting))
        for member in group.members
        if member.in_service and (healthy is None or member.instance_id in healthy)
    )


def improving(
    placements: Sequence[Placement],
    candidates: Sequence[Candidate],
    group: Group,
    lasting: Mapping[str, str],
) -> bool:
    """Whether better places are on their way: new instances, for addresses on old ones."""
    stays = {each.instance_id for each in candidates if each.lasting}
    ready = {each.instance_id for each in candidates}
    holders = {
        each.instance_id if isinstance(each, Associate | Move) else each.address.instance_id
        for each in placements
        if not isinstance(each, Leave)
    }
    coming = any(
        _lasts(member, lasting)
        for member in group.members
        if member.instance_id not in ready
        and (member.lifecycle == "InService" or member.lifecycle.startswith("Pending"))
    )
    return coming and not holders <= stays


def _lasts(member: Member, lasting: Mapping[str, str]) -> bool:
    template = member.template
    return template is not None and lasting.get(template.template_id) == template.version
