"""Load balancing: what the balancers that a group feeds say of its instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovenbird.aws import clients, faults
from ovenbird.core.traffic import HEALTHY, Opinion, State, TargetGroup, name_of

# Of several ports of one instance the worst counts; AWS's names of states, the better ones last.
_CLASSIC = {"InService": HEALTHY, "OutOfService": "unhealthy"}
_ORDER = ("unused", "draining", "unhealthy.draining", "unhealthy", "unavailable", "initial")


def target_groups(arns: Sequence[str]) -> tuple[TargetGroup, ...]:
    """What the target groups are for.

    Raises:
        NotFound: One of them is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: elasticloadbalancing:DescribeTargetGroups
    """
    if not arns:
        return ()
    names = ", ".join(name_of(arn) for arn in arns)
    gone = f"One of the target groups {names} does not exist any more; take it off the group."
    found = []
    with faults.translated(f"describe the target groups {names}", missing=gone):
        pages = clients.get("elbv2").get_paginator("describe_target_groups")
        for page in pages.paginate(TargetGroupArns=list(arns)):
            for each in page["TargetGroups"]:
                kind = each.get("TargetType", "instance")
                used = bool(each.get("LoadBalancerArns"))
                found.append(TargetGroup(each["TargetGroupArn"], used, kind))
    return tuple(found)


def opinions(sources: Iterable[str]) -> tuple[Opinion, ...]:
    """What each of the balancers says of the instances that it knows; one call for each.

    An instance that is registered with several ports is as well as the worst of them.

    Args:
        sources: ARNs of target groups, and names of Classic Load Balancers.

    Raises:
        NotFound: A target group or balancer is gone.
        Throttled, Unavailable: Safe to repeat; HealthUnavailable is one of them.

    IAM: elasticloadbalancing:DescribeTargetHealth, elasticloadbalancing:DescribeInstanceHealth
    """
    return tuple(
        Opinion(each, _states(each) if each.startswith("arn:") else _classic(each))
        for each in sources
    )


def _states(arn: str) -> dict[str, State]:
    name = name_of(arn)
    gone = f"There is no target group {name} any more; take it off the group."
    with faults.translated(f"read the target health of {name}", missing=gone):
        answer = clients.get("elbv2").describe_target_health(TargetGroupArn=arn)
    states: dict[str, State] = {}
    for each in answer["TargetHealthDescriptions"]:
        instance, health = each["Target"]["Id"], each["TargetHealth"]
        said = State(health["State"], health.get("Reason", ""))
        states[instance] = min(states.get(instance, said), said, key=_rank)
    return states


def _rank(said: State) -> int:
    if said.state == HEALTHY:
        return len(_ORDER) + 1
    return _ORDER.index(said.state) if said.state in _ORDER else len(_ORDER)


def _classic(name: str) -> dict[str, State]:
    """In the words of target health, which has more of them.

    Source: Elastic Load Balancing API reference 2012-06-01, InstanceState: the reason is ``ELB``
    while the balancer itself is not ready, ``Instance`` where health checks fail.
    """
    gone = f"There is no Classic Load Balancer {name} any more; take it off the group."
    with faults.translated(f"read the instance health of {name}", missing=gone):
        answer = clients.get("elb").describe_instance_health(LoadBalancerName=name)
    states = {}
    for each in answer["InstanceStates"]:
        said = State(_CLASSIC.get(each["State"], "unavailable"), each["State"])
        if each["State"] == "OutOfService" and each.get("ReasonCode") == "ELB":
            said = State("initial", "OutOfService")
        states[each["InstanceId"]] = said
    return states
