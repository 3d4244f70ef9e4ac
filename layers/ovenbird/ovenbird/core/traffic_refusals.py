"""Why new instances could not get traffic, whatever they are; each sentence says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ovenbird.core.names import few
from ovenbird.core.surveys import Survey
from ovenbird.core.traffic import State

REGISTERS = "AddToLoadBalancer"
_NOT_IN_USE = State("unused", "Target.NotInUse")


def refusals(seen: Survey) -> Iterator[str]:
    """Every reason against rolling a group that feeds balancers."""
    group = seen.group
    if REGISTERS in group.suspended and group.feeds_balancers:
        yield (
            f"Group {group.name} has suspended {REGISTERS}, so its balancers would send nothing to "
            "new instances; resume it (and register what was launched meanwhile)."
        )
    used = {each.arn for each in seen.target_groups if not each.left_out}
    for opinion in seen.opinions:
        if opinion.source not in used:
            continue
        off = [
            f"{each.instance_id} in {each.zone}"
            for each in group.members
            if each.in_service and opinion.of(each.instance_id) == _NOT_IN_USE
        ]
        if off:
            yield (
                f"No balancer sends traffic through {opinion.name} to {few(off)}, because that "
                "zone is not enabled for it (Target.NotInUse); enable the zone for the load "
                "balancer, or take its subnet out of the group."
            )
