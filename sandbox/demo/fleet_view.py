"""The fleet as the show sees it, read from the cloud's own answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.demo.recording import NOBODY, InstanceSeen

Ask = Callable[[str, str, dict[str, Any]], dict[str, Any]]
SERVING, STARTING, LEAVING = "serving", "starting", "leaving"


class FleetView:
    """Reads the group, its targets and its addresses; remembers what can never change.

    ``labels`` names a release's revision as people say it (``version 2``); an image without a
    revision is the one that the fleet began with.
    """

    def __init__(self, ask: Ask, fleet: str, first: str) -> None:
        self._ask, self._fleet, self._first = ask, fleet, first
        self.labels: dict[str, str] = {}
        self._images: dict[tuple[str, str], str] = {}

    def instances(self) -> tuple[InstanceSeen, ...]:
        """The group's instances, oldest version first, then by id."""
        groups = self._ask(
            "autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": [self._fleet]}
        )["AutoScalingGroups"]
        if not groups:
            return ()
        health = self._target_health(groups[0].get("TargetGroupARNs", []))
        seen = [self._instance(instance, health) for instance in groups[0].get("Instances", [])]
        return tuple(sorted(seen, key=lambda one: (one.version, one.instance_id)))

    def holders(self) -> tuple[tuple[str, str], ...]:
        """Every address of the pool and the instance that holds it, by address."""
        addresses = self._ask("ec2", "DescribeAddresses", {"Filters": self._of_fleet()})
        return tuple(
            sorted(
                (address["PublicIp"], address.get("InstanceId") or NOBODY)
                for address in addresses["Addresses"]
            )
        )

    def has_builder(self) -> bool:
        """Whether a builder exists that is not yet gone."""
        filters = [
            {"Name": "tag:ovenbird:role", "Values": ["builder"]},
            {
                "Name": "instance-state-name",
                "Values": ["pending", "running", "stopping", "stopped"],
            },
        ]
        found = self._ask("ec2", "DescribeInstances", {"Filters": filters})
        return bool(found["Reservations"])

    def _of_fleet(self) -> list[dict[str, Any]]:
        return [{"Name": "tag:ovenbird:fleet", "Values": [self._fleet]}]

    def _target_health(self, arns: list[str]) -> dict[str, str]:
        if not arns:
            return {}
        described = self._ask("elbv2", "DescribeTargetHealth", {"TargetGroupArn": arns[0]})
        return {
            target["Target"]["Id"]: target["TargetHealth"]["State"]
            for target in described["TargetHealthDescriptions"]
        }

    def _instance(self, instance: Mapping[str, Any], health: Mapping[str, str]) -> InstanceSeen:
        state, balancer = instance["LifecycleState"], health.get(instance["InstanceId"], "–")
        if state.startswith("Terminat"):
            phase = LEAVING
        elif state == "InService" and balancer == "healthy":
            phase = SERVING
        else:
            phase = STARTING
        template = instance.get("LaunchTemplate", {})
        return InstanceSeen(
            instance["InstanceId"],
            self._version(template.get("LaunchTemplateId", ""), template.get("Version", "")),
            phase,
            balancer,
            instance.get("AvailabilityZone", ""),
        )

    def _version(self, template: str, number: str) -> str:
        if not template:
            return "?"
        image = self._images.get((template, number))
        if image is None:
            versions = self._ask(
                "ec2",
                "DescribeLaunchTemplateVersions",
                {"LaunchTemplateId": template, "Versions": [number]},
            )["LaunchTemplateVersions"]
            image = versions[0]["LaunchTemplateData"]["ImageId"]
            self._images[template, number] = image
        return self.label(image)

    def label(self, image: str) -> str:
        """What people call the version on this image."""
        described = self._ask("ec2", "DescribeImages", {"ImageIds": [image]})["Images"]
        tags = {tag["Key"]: tag["Value"] for tag in described[0].get("Tags", [])}
        return self.labels.get(tags.get("ovenbird:revision", ""), self._first)
