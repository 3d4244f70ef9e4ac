"""A group and its launch template, to be refreshed."""

from __future__ import annotations

from typing import Any

from tests.aws.account import Account, Belongings

PREFERENCES = {
    "InstanceWarmup": 0,
    "SkipMatching": False,
    "ScaleInProtectedInstances": "Refresh",
    "StandbyInstances": "Ignore",
}
ACTIVE = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")


class Template:
    """A launch template with three versions that say the same."""

    def __init__(self, account: Account, owned: Belongings) -> None:
        ec2 = account.client("ec2")
        name = {"LaunchTemplateName": account.name}
        owned.add(f"launch template {account.name}", lambda: ec2.delete_launch_template(**name))
        self.template_id: str = ec2.create_launch_template(
            **name,
            LaunchTemplateData={"ImageId": account.image, "InstanceType": account.instance_type},
            TagSpecifications=account.tagged("launch-template"),
        )["LaunchTemplate"]["LaunchTemplateId"]
        for _ in range(2):
            ec2.create_launch_template_version(
                LaunchTemplateId=self.template_id,
                SourceVersion="1",
                LaunchTemplateData={"ImageId": account.image},
            )

    def version(self, number: str) -> dict[str, str]:
        return {"LaunchTemplateId": self.template_id, "Version": number}


class Group:
    """An Auto Scaling group on version 1 of a template."""

    def __init__(
        self, account: Account, owned: Belongings, template: Template, kind: str, *, size: int
    ) -> None:
        self.name = f"{account.name}-{kind}"
        self.template = template
        self._account = account
        self.calls = account.client("autoscaling")
        owned.add(f"group {self.name}", self._delete)
        self.calls.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate=template.version("1"),
            MinSize=size,
            MaxSize=size,
            DesiredCapacity=size,
            VPCZoneIdentifier=account.subnet,
            Tags=[{**tag, "PropagateAtLaunch": True} for tag in account.tags],
        )

    def look(self) -> dict[str, Any]:
        """The group as AWS describes it."""
        found = self.calls.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        group: dict[str, Any] = found["AutoScalingGroups"][0]
        return group

    def version(self) -> str:
        """The version that its configuration names."""
        return str(self.look()["LaunchTemplate"]["Version"])

    def lifecycles(self) -> list[str]:
        return [each["LifecycleState"] for each in self.look()["Instances"]]

    def in_service(self) -> int:
        return self.lifecycles().count("InService")

    def there(self) -> int:
        """Instances that are in service or about to be."""
        return sum(not each.startswith("Terminat") for each in self.lifecycles())

    def resize(self, size: int, most: int) -> None:
        """Change the size, and wait for the instances."""
        self.calls.update_auto_scaling_group(
            AutoScalingGroupName=self.name, MinSize=size, MaxSize=most, DesiredCapacity=size
        )
        self.wait_for(size)

    def wait_for(self, size: int) -> None:
        self._account.until(lambda: self.in_service() == size, f"{size} instances in service")

    def start(self, version: str, **preferences: Any) -> str:
        """Start a refresh to a version; the answer is its id."""
        answer = self.calls.start_instance_refresh(
            AutoScalingGroupName=self.name,
            Strategy="Rolling",
            DesiredConfiguration={"LaunchTemplate": self.template.version(version)},
            Preferences={**PREFERENCES, "AutoRollback": True, **preferences},
        )
        return str(answer["InstanceRefreshId"])

    def refresh(self, refresh_id: str) -> dict[str, Any] | None:
        """A refresh as AWS describes it, ``None`` while it cannot be seen."""
        found = self.calls.describe_instance_refreshes(
            AutoScalingGroupName=self.name, InstanceRefreshIds=[refresh_id]
        )["InstanceRefreshes"]
        return found[0] if found else None

    def ended(self, refresh_id: str, *, minutes: float = 30) -> dict[str, Any]:
        """The refresh, once it has ended."""

        def look() -> dict[str, Any] | None:
            seen = self.refresh(refresh_id)
            return seen if seen and seen["Status"] not in ACTIVE else None

        return self._account.until(look, "the end of a refresh", minutes=minutes)

    def _delete(self) -> None:
        if not self.calls.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
            "AutoScalingGroups"
        ]:
            return
        self.calls.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self._account.until(
            lambda: (
                not self.calls.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])[
                    "AutoScalingGroups"
                ]
            ),
            f"the end of group {self.name}",
        )
