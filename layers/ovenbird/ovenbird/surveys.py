"""Taking a survey: a look at everything that a rollout will touch, before it touches anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovenbird.aws import (
    alarms,
    autoscaling_groups,
    autoscaling_refreshes,
    ec2_addresses,
    ec2_images,
    ec2_networks,
    ec2_templates,
    loadbalancing,
)
from ovenbird.core import addresses, templates, traffic
from ovenbird.core.addresses import Address
from ovenbird.core.addresses import whereabouts as where
from ovenbird.core.groups import Group, versions_by_template
from ovenbird.core.images import Image
from ovenbird.core.preferences import for_group
from ovenbird.core.surveys import Survey
from ovenbird.core.traffic import asked
from ovenbird.errors import NotFound
from ovenbird.fleet import Fleet


def take(fleet: Fleet) -> Survey:
    """Look at everything; nothing is changed.

    Raises:
        NotFound: There is no such group, or its launch template or the version is gone.
        Throttled, Unavailable: Safe to repeat.
    """
    group = autoscaling_groups.describe(fleet.group)
    pool = ec2_addresses.pool(fleet.name) if fleet.addresses.count else ()
    targets = loadbalancing.target_groups(group.target_groups)
    left_out = [each.arn for each in targets if each.left_out]
    running = []
    if group.template is not None:
        sources = templates.sources(
            group.template.template_id,
            group.template.version,
            versions_by_template(group.overrides),
        )
        running = [ec2_templates.version(template, number) for template, number in sources.items()]
    current_id = running[0].image if running else None
    return Survey(
        fleet=fleet.name,
        roll=fleet.roll,
        group=group,
        refreshes=autoscaling_refreshes.recent(group.name),
        running=running,
        preferences=for_group(group, fleet.roll, addresses=fleet.addresses.count > 0),
        current_id=current_id,
        current=image(current_id),
        template_tags=ec2_templates.tags(each.template_id for each in running) if running else {},
        alarms=alarms.states(fleet.roll.alarms),
        pool=pool,
        address_count=fleet.addresses.count,
        target_groups=targets,
        opinions=loadbalancing.opinions(asked(group, left_out)),
        rehearsal=_rehearsal(fleet, group, pool),
        gateway=_gateway(group, pool),
        borders=_borders(group, pool),
    )


def _rehearsal(fleet: Fleet, group: Group, pool: Sequence[Address]) -> str | None:
    """With an address that is free or the group's own, as the mover would choose it."""
    members = {each.instance_id for each in group.members if each.in_service}
    for address in pool:
        if address.free or address.instance_id in members:
            return ec2_addresses.rehearse(address.allocation_id, members, fleet.name)
    return None


def _gateway(group: Group, pool: Sequence[Address]) -> bool | None:
    """An address that is on a member says it without a question."""
    members = {each.instance_id for each in group.members}
    if not pool or not group.subnets or any(each.instance_id in members for each in pool):
        return None
    return ec2_networks.has_gateway(group.subnets)


def _borders(group: Group, pool: Sequence[Address]) -> dict[str, str]:
    """Asked for only where something is not simply the Region's.

    The zones of a Region are called after it, with a letter, and its addresses belong to a border
    group of its name; Local and Wavelength Zones have names and border groups of their own.
    """
    region = group.arn.split(":")[3] if group.arn.count(":") > 3 else ""
    usual = all(zone[:-1] == region for zone in group.zones)
    if not pool or not group.zones or (usual and {each.border_group for each in pool} == {region}):
        return {}
    return ec2_networks.border_groups(group.zones)


def image(image_id: str | None) -> Image | None:
    """An image as it stands; ``None`` where it is gone, or where a parameter names it."""
    if image_id is None or image_id.startswith("resolve:"):
        return None
    try:
        return ec2_images.get(image_id)
    except NotFound:
        return None


def whereabouts(fleet: str, group: str | None) -> list[str]:
    """Where each address of the fleet is now, for a notice; no line where it has none.

    Args:
        group: The fleet's group; ``None`` where nobody knows it, and so nobody knows of health.

    Raises:
        Throttled, Unavailable: Safe to repeat.
        NotFound: A balancer of the group is gone.
    """
    pool = ec2_addresses.pool(fleet)
    if not pool or group is None:
        return where(pool, frozenset())
    try:
        found = autoscaling_groups.describe(group)
    except NotFound:
        return where(pool, frozenset())
    healthy = traffic.healthy(loadbalancing.opinions(asked(found, ())))
    may_hold = addresses.candidates(found, healthy, found.versions)
    return where(pool, frozenset(each.instance_id for each in may_hold))


def unserved(group: Group, left_out: Iterable[str]) -> str:
    """Which instances of a group get no traffic; empty where all do, or where nobody can say.

    Raises:
        NotFound: A balancer of the group is gone.
        Throttled, Unavailable: Safe to repeat.
    """
    serving = [each.instance_id for each in group.members if each.in_service]
    found = traffic.unwanted(loadbalancing.opinions(asked(group, left_out)), serving)
    if not found:
        return ""
    return f"{len(found)} of the {len(serving)} in service get no traffic: {traffic.told(found)}."
