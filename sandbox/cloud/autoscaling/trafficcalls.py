"""The calls that say which balancers a group feeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.cloud.autoscaling.ground import Targets
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.register import Register
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result


class TrafficCalls:
    """Attach and detach: what is in service is registered, or begins to drain, at once.

    Source: Auto Scaling API reference, AttachTrafficSources, AttachLoadBalancerTargetGroups,
    AttachLoadBalancers.
    """

    def __init__(self, elbv2: Targets, register: Register) -> None:
        self._elbv2, self._register = elbv2, register

    def operations(self) -> dict[str, Operation]:
        return {
            "AttachLoadBalancers": self.attach_balancers,
            "AttachLoadBalancerTargetGroups": self.attach_target_groups,
            "DetachLoadBalancerTargetGroups": self.detach_target_groups,
            "AttachTrafficSources": self.attach_sources,
            "DetachTrafficSources": self.detach_sources,
            "DescribeTrafficSources": self.describe,
        }

    def attach_balancers(self, params: Parameters) -> Result:
        self._attach(params, params["LoadBalancerNames"])
        return {}

    def attach_target_groups(self, params: Parameters) -> Result:
        self._attach(params, params["TargetGroupARNs"])
        return {}

    def detach_target_groups(self, params: Parameters) -> Result:
        self._detach(params, params["TargetGroupARNs"])
        return {}

    def attach_sources(self, params: Parameters) -> Result:
        self._attach(params, [each["Identifier"] for each in params["TrafficSources"]])
        return {}

    def detach_sources(self, params: Parameters) -> Result:
        self._detach(params, [each["Identifier"] for each in params["TrafficSources"]])
        return {}

    def describe(self, params: Parameters) -> Result:
        group = self._register.find(params["AutoScalingGroupName"])
        sources = [
            {**each, "TrafficSource": each["Identifier"], "State": "InService"}
            for each in group.traffic_sources()
            if params.get("TrafficSourceType") in (None, each["Type"])
        ]
        return {"TrafficSources": sources}

    def _attach(self, params: Parameters, sources: Iterable[str]) -> None:
        group = self._register.modifiable(params["AutoScalingGroupName"])
        for source in sources:
            must_exist(self._elbv2, source)
            if source in group.feeds:
                continue
            if source.startswith("arn:"):
                group.target_groups = (*group.target_groups, source)
            else:
                group.classic = (*group.classic, source)
            if "AddToLoadBalancer" not in group.suspended:
                for member in _in_service(group):
                    self._elbv2.register(source, member)

    def _detach(self, params: Parameters, sources: Iterable[str]) -> None:
        group = self._register.modifiable(params["AutoScalingGroupName"])
        for source in sources:
            group.target_groups = tuple(each for each in group.target_groups if each != source)
            group.classic = tuple(each for each in group.classic if each != source)
            for member in _in_service(group):
                self._elbv2.deregister(source, member)


def must_exist(elbv2: Targets, source: str) -> None:
    """Refuse a source that does not exist, in Auto Scaling's words."""
    try:
        elbv2.health(source, "")
    except AwsError as error:
        raise AwsError(
            "ValidationError",
            f"Provided Target Groups may not be valid. Please ensure they exist and try again. "
            f"{error.message}",
        ) from error


def _in_service(group: Group) -> list[Any]:
    return [one.instance_id for one in group.members.values() if one.lifecycle == "InService"]
