"""Load balancing: which instances a group's target groups call healthy."""

from __future__ import annotations

from collections.abc import Sequence

from ovenbird.aws import clients, faults


def healthy_instances(target_groups: Sequence[str]) -> frozenset[str] | None:
    """The instances that every one of the target groups calls healthy.

    An instance that is new (``initial``), on its way out (``draining``) or unknown to one of the
    groups is not among them. An instance registered with several ports must be healthy on each.

    Args:
        target_groups: ARNs; targets that are no instances (IP addresses) are never healthy here.

    Returns:
        ``None`` for a group without target groups: then nobody but the group itself can say.

    Raises:
        NotFound: A target group is gone.
        Throttled, Unavailable: Safe to repeat; HealthUnavailable is one of them.

    IAM: elasticloadbalancing:DescribeTargetHealth
    """
    healthy: frozenset[str] | None = None
    for arn in target_groups:
        with faults.translated(f"read the target health of {arn.rpartition(':')[2]}"):
            answer = clients.get("elbv2").describe_target_health(TargetGroupArn=arn)
        states: dict[str, set[str]] = {}
        for each in answer["TargetHealthDescriptions"]:
            states.setdefault(each["Target"]["Id"], set()).add(each["TargetHealth"]["State"])
        here = frozenset(target for target, seen in states.items() if seen == {"healthy"})
        healthy = here if healthy is None else healthy & here
    return healthy
