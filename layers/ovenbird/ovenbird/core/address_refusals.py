"""Why the Elastic IPs could not follow the new instances; each sentence says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ovenbird.core.images import FLEET as TAG
from ovenbird.core.names import few
from ovenbird.core.surveys import Survey
from ovenbird.core.templates import Version


def refusals(seen: Survey) -> Iterator[str]:
    """Every reason against rolling a fleet that has addresses."""
    if seen.address_count:
        yield from _pool(seen)
        yield from _tags(seen)
        yield from _interfaces(seen)
        yield from _network(seen)
        yield from _permission(seen)


def _pool(seen: Survey) -> Iterator[str]:
    wanted = seen.address_count
    if len(seen.pool) < wanted:
        yield (
            f"addresses.count is {wanted}, but {len(seen.pool)} Elastic IPs carry the tag "
            f"{TAG}={seen.fleet}; tag more of them (the quota EC2-VPC Elastic IPs says how many "
            "the account may have), or lower the count."
        )
        return
    members = {each.instance_id for each in seen.group.members}
    strangers = [each for each in seen.pool if not each.free and each.instance_id not in members]
    if len(seen.pool) - len(strangers) < wanted:
        held = ", ".join(f"{each.public_ip} ({each.holder})" for each in strangers)
        yield (
            f"addresses.count is {wanted}, but others than group {seen.group.name} hold {held}; "
            "free them, or take the tag away and lower the count."
        )
    if 0 < seen.group.instances < wanted:
        yield (
            f"addresses.count is {wanted}, but group {seen.group.name} has "
            f"{seen.group.instances} instances, and each takes one address; lower the count, or "
            "make the group larger."
        )


def _tags(seen: Survey) -> Iterator[str]:
    """The role may put an address only on an instance that carries the fleet's tag.

    A new one has it from the group, which goes first, or from its launch template.
    Source: EC2 Auto Scaling user guide, "Tag Auto Scaling groups and instances".
    """
    if TAG in seen.group.propagated or seen.group.tags.get(TAG) != seen.fleet:
        return  # the second is refused elsewhere
    for version in seen.running:
        if tags_of(version, "instance").get(TAG) != seen.fleet:
            yield (
                f"Group {seen.group.name} does not propagate its tag {TAG}={seen.fleet} to new "
                "instances, and an Elastic IP can be put only on one that carries it; set "
                "PropagateAtLaunch, or add the tag for instance in the TagSpecifications of "
                f"{version.template_id} (version {version.number})."
            )


def _interfaces(seen: Survey) -> Iterator[str]:
    """An instance with several takes no address by itself; its first interface does, if tagged.

    Source: EC2 API reference, AssociateAddress, parameter InstanceId.
    """
    for version in seen.running:
        several = len(version.content.get("NetworkInterfaces") or ())
        if several > 1 and tags_of(version, "network-interface").get(TAG) != seen.fleet:
            yield (
                f"Version {version.number} of {version.template_id} gives an instance {several} "
                "network interfaces, and an Elastic IP goes on the first, which does not carry the "
                f"tag {TAG}={seen.fleet}; add it for network-interface in its TagSpecifications, "
                "or set addresses.count to 0."
            )


def _network(seen: Survey) -> Iterator[str]:
    """Source: EC2 API reference, AssociateAddress (network border group); "Error codes"."""
    if seen.gateway is False:
        yield (
            f"The VPC of group {seen.group.name} has no internet gateway, and without one EC2 puts "
            "no Elastic IP on an instance; attach one, or set addresses.count to 0."
        )
    for address in seen.pool:
        elsewhere = [
            zone for zone, border in seen.borders.items() if border != address.border_group
        ]
        if address.border_group and elsewhere:
            yield (
                f"{address.public_ip} belongs to the network border group {address.border_group}, "
                f"and group {seen.group.name} launches in {few(elsewhere)}, which do not; take "
                "these zones out of the group, or tag addresses that were allocated there."
            )


def _permission(seen: Survey) -> Iterator[str]:
    if seen.rehearsal:
        yield (
            f"AWS would not let an Elastic IP be put on an instance of group {seen.group.name}: "
            f"{seen.rehearsal}; give the roles of MoveAddress and PlanRollout the permission, or "
            "ask whoever wrote the policy that denies it."
        )


def tags_of(version: Version, kind: str) -> dict[str, str]:
    """The tags that a launch from this version puts on things of one kind (``instance``)."""
    return {
        tag["Key"]: tag.get("Value", "")
        for each in version.content.get("TagSpecifications") or ()
        if each.get("ResourceType") == kind
        for tag in each.get("Tags") or ()
    }
