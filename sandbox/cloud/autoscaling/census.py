"""The instances of a group as a refresh counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.cloud.autoscaling.batches import Seat, units
from sandbox.cloud.autoscaling.configuration import Configuration, Source, resolve
from sandbox.cloud.autoscaling.ground import Instances
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.refresh import Refresh


@dataclass(frozen=True)
class Census:
    """``size`` is how many units are to be updated in the end; kept ones are not among them.

    A unit is an instance, unless instances have weights.
    """

    seats: tuple[Seat, ...]
    size: int
    standby: tuple[str, ...]  # outdated ones in standby

    @property
    def outdated(self) -> int:
        return units(seat for seat in self.seats if seat.outdated)

    @property
    def updated(self) -> int:
        """Those that count for the percentage: healthy and warm."""
        return units(seat for seat in self.seats if seat.updated and seat.ready)

    @property
    def percent(self) -> int:
        return min(100, 100 * self.updated // self.size) if self.size > 0 else 100


def take(group: Group, refresh: Refresh | None, health: Health, ec2: Instances) -> Census:
    """Count the group for its refresh, or for scaling alone when there is none."""
    outdated = {
        member.instance_id
        for member in group.members.values()
        if refresh is not None and is_outdated(group, refresh, member, ec2)
    }
    seats = []
    for member in in_order(group, outdated, health):
        late = member.instance_id in outdated
        held = member.protected
        if late and refresh is not None and member.protected:
            late = refresh.preferences.protected != "Ignore"
            held = refresh.preferences.protected != "Refresh"
        seats.append(
            Seat(
                instance_id=member.instance_id,
                ready=health.is_ready(group, member),
                outdated=late,
                updated=refresh is not None and not late and member.batch == refresh.key,
                held=held,
                weight=member.weight,
            )
        )
    kept = units(seat for seat in seats if not seat.outdated and not seat.updated)
    standby = (
        member.instance_id
        for member in group.members.values()
        if member.lifecycle == "Standby" and member.instance_id in outdated
    )
    return Census(tuple(seats), max(0, group.desired - kept), tuple(standby))


def is_outdated(group: Group, refresh: Refresh, member: Member, ec2: Instances) -> bool:
    """Whether the refresh still has to replace the member.

    A rollback replaces what the refresh launched. With skip matching, an instance that matches
    the desired configuration stays; the comparison is made again and again, so a template version
    made during a refresh to ``$Latest`` replaces instances once more. Source: Auto Scaling user
    guide, "Use an instance refresh with skip matching".
    """
    if refresh.rollback is not None:
        return member.batch == refresh.refresh_id
    if refresh.preferences.skip_matching:
        return not matches(member, refresh.desired or group.saved, ec2)
    return member.batch != refresh.key


def matches(member: Member, wanted: Configuration, ec2: Instances) -> bool:
    """Whether template, version, instance type and image override are what is wanted.

    What a script fetches at boot is not compared: AWS cannot see it either.
    """
    return any(_is_from(member, source, ec2) for source in wanted.sources())


def _is_from(member: Member, source: Source, ec2: Instances) -> bool:
    found = resolve(source.template, ec2)
    wanted_type = source.overrides.get("InstanceType", member.instance_type)
    return (
        member.template["LaunchTemplateId"] == found["LaunchTemplateId"]
        and member.template["Version"] == str(found["Version"])
        and member.instance_type == wanted_type
        and member.image_override == source.overrides.get("ImageId")
    )


def in_order(group: Group, outdated: set[str], health: Health) -> list[Member]:
    """The active members, the one that a termination would take first in front.

    The default termination policy: the zone with the most instances, the oldest template version,
    the oldest instance. What is not ready comes before all of these, and what a refresh replaces
    before what it made; AWS does not publish that part. Source: Auto Scaling user guide,
    "Configure termination policies for Amazon EC2 Auto Scaling".
    """
    zones: dict[str, list[tuple[Any, ...]]] = {}
    for number, m in enumerate(group.active):
        pressing = (m.healthy, health.is_ready(group, m), m.instance_id not in outdated)
        age = (m.template["LaunchTemplateId"], int(m.template["Version"]), m.launched, number)
        zones.setdefault(m.zone, []).append((pressing, age, m))
    for members in zones.values():
        members.sort(reverse=True)  # the first of each zone is its last here
    ordered = []
    while zones:
        zone = min(zones, key=lambda z: (zones[z][-1][0], -len(zones[z]), zones[z][-1][1]))
        ordered.append(zones[zone].pop()[2])
        if not zones[zone]:
            del zones[zone]
    return ordered
