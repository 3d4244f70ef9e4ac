"""What a plan cannot know: said in it, so that nobody takes silence for a promise."""

from __future__ import annotations

from collections.abc import Iterator

from ovenbird.core.surveys import Survey

_WATCHERS = ("HealthCheck", "ReplaceUnhealthy")


def sentences(seen: Survey) -> list[str]:
    """What was not checked, and why; one sentence each."""
    return [*_traffic(seen), *_addresses(seen), *_group(seen)]


def _traffic(seen: Survey) -> Iterator[str]:
    for each in seen.target_groups:
        if each.left_out:
            yield f"Target group {each.name} is not asked about the instances: {each.left_out}."
    for name in seen.group.lattice_groups:
        yield (
            f"Whether VPC Lattice sends traffic to the instances (target group {name}): Ovenbird "
            "does not ask it."
        )
    suspended = [each for each in _WATCHERS if each in seen.group.suspended]
    if suspended:
        yield (
            f"Whether instances fall sick: group {seen.group.name} has suspended "
            f"{' and '.join(suspended)}, so AWS replaces none. Ovenbird asks the balancers itself."
        )


def _addresses(seen: Survey) -> Iterator[str]:
    if seen.address_count and seen.rehearsal is None:
        yield (
            "Whether AWS lets the Elastic IPs be moved: no instance runs that carries the fleet's "
            "tag, so it could not be tried."
        )


def _group(seen: Survey) -> Iterator[str]:
    yield (
        f"Lifecycle hooks of group {seen.group.name}: whether it has any, and whether somebody "
        "answers them."
    )
    if seen.group.warm_pool:
        yield (
            f"The warm pool of group {seen.group.name}: AWS replaces its instances after those in "
            "service, and nobody sends them traffic until then."
        )
