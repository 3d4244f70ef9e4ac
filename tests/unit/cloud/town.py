"""A model cloud with images, a template, a balancer and a group: what tests of a fleet need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import AwsError
from sandbox.cloud.imaginary import Imaginary


class Town:
    """One account; ``web`` is its group."""

    def __init__(self) -> None:
        self.machines = Imaginary()
        self.cloud = Cloud(VirtualClock(), self.machines)
        self.images = [self.cloud.ec2.seed_image(f"web-{n}") for n in (1, 2, 3)]
        self.template = self.call(
            "ec2",
            "CreateLaunchTemplate",
            LaunchTemplateName="web",
            LaunchTemplateData={"ImageId": self.images[0], "InstanceType": "t3.small"},
        )["LaunchTemplate"]["LaunchTemplateId"]
        for image in self.images[1:]:
            self.publish(image)
        self.subnets = ",".join(each.subnet_id for each in self.cloud.ec2.networks.subnets)
        self.least_serving: int | None = None
        self.most_active = 0

    def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return self.cloud.call(service, operation, params)

    def asg(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.call("autoscaling", operation, AutoScalingGroupName="web", **params)

    def publish(self, image: str) -> None:
        self.call(
            "ec2",
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=self.template,
            SourceVersion="1",
            LaunchTemplateData={"ImageId": image},
        )

    def version(self, number: int | str) -> dict[str, Any]:
        return {"LaunchTemplateId": self.template, "Version": str(number)}

    def make_group(self, desired: int, *, settle: bool = True, **more: Any) -> Group:
        """Create the group on version 1 and wait until its instances are in service."""
        params: dict[str, Any] = {
            "LaunchTemplate": self.version(1),
            "MinSize": 0,
            "MaxSize": 50,
            "DesiredCapacity": desired,
            "VPCZoneIdentifier": self.subnets,
            **more,
        }
        if "MixedInstancesPolicy" in more:
            del params["LaunchTemplate"]
        self.asg("CreateAutoScalingGroup", **params)
        if settle:
            self.until(lambda: len(self.serving) == desired)
        return self.group

    def make_balancer(self, *, drain: int = 0, **checks: Any) -> str:
        """Create a target group behind a balancer; returns the target group's ARN."""
        arn: str = self.call(
            "elbv2",
            "CreateTargetGroup",
            **{
                "Name": "web",
                "Protocol": "HTTP",
                "Port": 8080,
                "HealthCheckIntervalSeconds": 10,
                **checks,
            },
        )["TargetGroups"][0]["TargetGroupArn"]
        balancer = self.call("elbv2", "CreateLoadBalancer", Name="web")
        self.call(
            "elbv2",
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        self.call(
            "elbv2",
            "ModifyTargetGroupAttributes",
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(drain)}],
        )
        return arn

    def make_alarm(self, name: str, state: str = "OK") -> None:
        self.call(
            "cloudwatch",
            "PutMetricAlarm",
            AlarmName=name,
            Namespace="Acme",
            MetricName="Errors",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
        self.set_alarm(name, state)

    def set_alarm(self, name: str, state: str) -> None:
        self.call(
            "cloudwatch", "SetAlarmState", AlarmName=name, StateValue=state, StateReason="a test"
        )

    def refresh_to(self, number: int | str | None, **preferences: Any) -> str:
        """Start a refresh to a version of the template (``None``: no desired configuration)."""
        params: dict[str, Any] = {"Preferences": preferences}
        if number is not None:
            params["DesiredConfiguration"] = {"LaunchTemplate": self.version(number)}
        refresh: str = self.asg("StartInstanceRefresh", **params)["InstanceRefreshId"]
        self.least_serving, self.most_active = len(self.serving), len(self.group.active)
        return refresh

    def sicken(self, number: int) -> None:
        """Let every machine fail its health checks whose image is that of the version."""
        bad = self.images[number - 1]
        self.machines.healthy = lambda instance_id, _: (
            self.cloud.ec2.instances.all[instance_id].image_id != bad
        )

    # what can be seen

    @property
    def group(self) -> Group:
        return self.cloud.autoscaling.groups["web"]

    @property
    def serving(self) -> list[str]:
        return [
            member.instance_id
            for member in self.group.members.values()
            if member.lifecycle == "InService"
            and member.healthy
            and self.cloud.ec2.state(member.instance_id) == "running"
        ]

    @property
    def versions(self) -> dict[str, int]:
        """How many active instances there are of each version."""
        return dict(Counter(member.template["Version"] for member in self.group.active))

    @property
    def refresh(self) -> dict[str, Any]:
        """The newest refresh as AWS shows it."""
        found: dict[str, Any] = self.asg("DescribeInstanceRefreshes")["InstanceRefreshes"][0]
        return found

    @property
    def status(self) -> str:
        return str(self.refresh["Status"])

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        return [e for e in self.cloud.kernel.bus.sent if e["detail-type"].endswith(detail_type)]

    # time

    def until(self, true: Callable[[], bool], *, minutes: float = 90) -> None:
        """Let time pass; the fewest serving and most active instances are kept on the way."""
        end = self.cloud.kernel.now() + timedelta(minutes=minutes)
        while not true():
            if not self.cloud.advance(end) and not true():
                raise TimeoutError(f"not within {minutes} minutes")
            self._note()

    def pass_minutes(self, minutes: float) -> None:
        end = self.cloud.kernel.now() + timedelta(minutes=minutes)
        while self.cloud.advance(end):
            self._note()

    def until_status(self, *wanted: str, minutes: float = 90) -> None:
        self.until(lambda: self.group.refreshes[0].status in wanted, minutes=minutes)

    def until_ended(self, *, minutes: float = 240) -> str:
        self.until(lambda: not self.group.refreshes[0].is_active, minutes=minutes)
        self.pass_minutes(0.1)  # its events are out
        return self.status

    @property
    def now(self) -> datetime:
        return self.cloud.kernel.now()

    def _note(self) -> None:
        if self.least_serving is not None:
            self.least_serving = min(self.least_serving, len(self.serving))
            self.most_active = max(self.most_active, len(self.group.active))


def refused(code: str, text: str = "") -> Any:
    """Expect AWS to refuse with a code (and a text, as a regular expression)."""
    return pytest.raises(AwsError, match=f"^{code}: .*{text}")
