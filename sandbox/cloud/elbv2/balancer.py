"""A load balancer and its listeners."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Listener:
    """A port of a balancer, and the target groups that it forwards to."""

    arn: str
    balancer_arn: str
    put: dict[str, Any]

    @property
    def target_groups(self) -> tuple[str, ...]:
        """The ARNs that the default actions forward to."""
        found = []
        for action in self.put["DefaultActions"]:
            if "TargetGroupArn" in action:
                found.append(action["TargetGroupArn"])
            for each in action.get("ForwardConfig", {}).get("TargetGroups", []):
                found.append(each["TargetGroupArn"])
        return tuple(dict.fromkeys(found))

    def describe(self) -> dict[str, Any]:
        """The listener as DescribeListeners shows it."""
        kept = ("Port", "Protocol", "DefaultActions")
        return {
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.balancer_arn,
            **{key: self.put[key] for key in kept if key in self.put},
        }


@dataclass
class Balancer:
    """An application load balancer; it is active as soon as it is there."""

    arn: str
    name: str
    dns_name: str
    created: datetime
    put: dict[str, Any]
    tags: dict[str, str]
    listeners: list[Listener] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """The balancer as DescribeLoadBalancers shows it."""
        return {
            "LoadBalancerArn": self.arn,
            "LoadBalancerName": self.name,
            "DNSName": self.dns_name,
            "CreatedTime": self.created,
            "Scheme": self.put.get("Scheme", "internet-facing"),
            "Type": self.put.get("Type", "application"),
            "State": {"Code": "active"},
            "IpAddressType": "ipv4",
            "SecurityGroups": self.put.get("SecurityGroups", []),
        }
