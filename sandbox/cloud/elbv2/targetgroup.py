"""A target group."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.cloud.elbv2.target import Target


@dataclass
class TargetGroup:
    """Targets, how they are checked, and the attributes.

    ``put`` holds the members of CreateTargetGroup with their defaults, as they are shown again.
    """

    arn: str
    put: dict[str, Any]
    tags: dict[str, str]
    attributes: dict[str, str] = field(
        default_factory=lambda: {
            "deregistration_delay.timeout_seconds": "300",
            "slow_start.duration_seconds": "0",
            "stickiness.enabled": "false",
        }
    )
    targets: dict[tuple[str, int], Target] = field(default_factory=dict)
    balancers: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.put["TargetGroupName"])

    @property
    def port(self) -> int:
        return int(self.put["Port"])

    @property
    def interval(self) -> timedelta:
        """Between two health checks of a target."""
        return timedelta(seconds=self.put["HealthCheckIntervalSeconds"])

    @property
    def drain(self) -> timedelta:
        """How long a target drains after it was deregistered."""
        return timedelta(seconds=int(self.attributes["deregistration_delay.timeout_seconds"]))

    @property
    def dimension(self) -> str:
        """The group's value of the metric dimension TargetGroup: ``targetgroup/<name>/<id>``."""
        return self.arn.rsplit(":", 1)[1]

    def check_port(self, target: Target) -> int:
        """The port that a target's health is checked on."""
        port = self.put["HealthCheckPort"]
        return target.port if port == "traffic-port" else int(port)

    def count(self, state: str) -> int:
        return sum(target.health.state == state for target in self.targets.values())

    def describe(self) -> dict[str, Any]:
        """The group as DescribeTargetGroups shows it."""
        return {**self.put, "TargetGroupArn": self.arn, "LoadBalancerArns": list(self.balancers)}


def with_defaults(params: dict[str, Any]) -> dict[str, Any]:
    """CreateTargetGroup's members with AWS's defaults.

    Source: Elastic Load Balancing API reference, CreateTargetGroup.
    """
    kept = {key: value for key, value in params.items() if key not in ("Name", "Tags")}
    protocol = kept.get("Protocol", "HTTP")
    return {
        "TargetGroupName": params["Name"],
        "Protocol": protocol,
        "Port": 80,
        "HealthCheckProtocol": protocol,
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
        **kept,
    }
