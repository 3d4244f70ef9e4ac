"""A fleet in a world: made as its owner makes it, and looked at as a person would."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.autoscaling.configuration import Configuration
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.refresh import Refresh
from sandbox.cloud.ec2.images import Image
from sandbox.cloud.ec2.instances import Instance
from sandbox.cloud.imaginary import Disk
from tests.stories.world import BUCKET, World

OLD = "one"  # the revision that a fleet begins with
TAG = "ovenbird:fleet"
DOCUMENT: dict[str, Any] = {
    "groups": ["web"],
    "release": {"s3": {"bucket": BUCKET, "key": "web/*.tar.gz"}},
    "bake": {
        "install": ['tar -xzf "$OVENBIRD_ARTIFACT" -C /srv/web'],
        "verify": ["curl -fsS localhost:8080/health"],
    },
}


@dataclass
class Fleet:
    """The fleet ``web``: its group, its template, its addresses."""

    world: World
    image: str  # the one that the team made
    template: str
    target_group: str
    allocations: tuple[str, ...]
    name: str = "web"
    forgive: Callable[..., None] = lambda: None  # the invariants', once they watch
    edited: Callable[[], None] = lambda: None

    # What its owner does -------------------------------------------------------------------

    def document(self, **changes: Any) -> None:
        """Write the fleet document; ``changes`` replace its sections."""
        self.world.operator(
            "ssm",
            "PutParameter",
            Name=f"/ovenbird/fleets/{self.name}",
            Type="String",
            Overwrite=True,
            Value=json.dumps(DOCUMENT | changes),
        )

    def update(self, **changes: Any) -> None:
        """UpdateAutoScalingGroup by hand."""
        self.world.operator(
            "autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName=self.name, **changes
        )

    def tag(self, fleet: str) -> None:
        """Say whose the group is."""
        tag = {"ResourceId": self.name, "ResourceType": "auto-scaling-group"}
        tag |= {"Key": TAG, "Value": fleet}
        self.world.operator(
            "autoscaling", "CreateOrUpdateTags", Tags=[tag | {"PropagateAtLaunch": True}]
        )

    def pause(self, reason: str) -> None:
        self.world.operator(
            "ssm",
            "PutParameter",
            Name=f"/ovenbird/fleets/{self.name}/paused",
            Type="String",
            Value=reason,
        )

    def unpause(self) -> None:
        self.world.operator("ssm", "DeleteParameter", Name=f"/ovenbird/fleets/{self.name}/paused")

    def roll_back(self, **payload: Any) -> Any:
        """A rollback by hand, as in ``events/roll-back.json``."""
        payload = {"action": "roll-back", "fleet": self.name, "reason": "it is slow"} | payload
        return self.world.ask("accept_release", payload)

    # What can be seen ----------------------------------------------------------------------

    @property
    def group(self) -> Group:
        return self.world.cloud.autoscaling.groups[self.name]

    @property
    def refreshes(self) -> list[Refresh]:
        """Newest first."""
        return list(self.group.refreshes)

    @property
    def serving(self) -> list[str]:
        """The instances in service that are healthy and whose targets are."""
        targets = {i for i, _ in self.world.cloud.elbv2.healthy_targets(self.target_group)}
        return [
            member.instance_id
            for member in self.group.members.values()
            if member.lifecycle == "InService" and member.healthy and member.instance_id in targets
        ]

    @property
    def warm(self) -> list[str]:
        """Those that serve and are not in the warm-up of the active refresh either."""
        refresh, serving = self.group.refresh, self.serving
        if refresh is None:
            return serving
        warmup, now = refresh.preferences.warmup, self.world.now()

        def is_warm(member: Member) -> bool:
            launched = (member.batch or "").startswith(refresh.refresh_id)
            return not launched or now >= (member.in_service_at or now) + warmup

        return [one for one in serving if is_warm(self.group.members[one])]

    @property
    def revisions(self) -> Counter[str]:
        """What the serving instances run: revision → how many."""
        return Counter(self.world.machines.disks[one].revision for one in self.serving)

    @property
    def versions(self) -> Counter[str]:
        """The template versions of the group's instances: version → how many."""
        return Counter(m.template["Version"] for m in self.group.members.values())

    @property
    def saved_version(self) -> str:
        """The version in the group's own configuration."""
        return version_of(self.group.saved)

    @property
    def holders(self) -> dict[str, str]:
        """Allocation id → the instance that holds it; free addresses are left out."""
        addresses = self.world.cloud.ec2.addresses.all
        holders = {one: addresses[one].instance_id for one in self.allocations}
        return {one: holder for one, holder in holders.items() if holder}

    @property
    def images(self) -> list[Image]:
        """The images that Ovenbird baked, oldest first."""
        return [
            image
            for image in self.world.cloud.ec2.images.all.values()
            if "ovenbird:bake-key" in self.tags(image.image_id)
        ]

    @property
    def builders(self) -> list[Instance]:
        """The builders, also the ended ones: what was launched as one, not what is tagged so."""
        return [
            instance
            for instance in self.world.cloud.ec2.instances.all.values()
            if self.tags(instance.instance_id).get("ovenbird:role") == "builder"
            and instance.client_token
            and "aws:autoscaling:groupName" not in self.tags(instance.instance_id)
        ]

    def tags(self, resource_id: str) -> dict[str, str]:
        return self.world.cloud.ec2.tags.of(resource_id)

    def is_as_before(self) -> bool:
        """At full capacity on the old version, with nothing under way and nothing left over."""
        return (
            self.revisions == {OLD: self.group.desired}
            and self.saved_version == "1"
            and self.world.cloud.ec2.templates.all[self.template].default == 1
            and self.group.refresh is None
            and not any(builder.is_alive for builder in self.builders)
        )


def version_of(configuration: Configuration) -> str:
    """The version of the (main) launch template in a group's configuration."""
    written = configuration.written()
    template = (
        written.get("LaunchTemplate")
        or (written["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"])
    )
    return str(template["Version"])


def make(
    world: World,
    *,
    name: str = "web",
    size: int = 4,
    maximum: int | None = None,
    addresses: int = 2,
    version: str = "1",
    mixed: bool = False,
    image_by_parameter: bool = False,
    check_seconds: int = 10,
    **document: Any,
) -> Fleet:
    """A fleet that serves the revision :data:`OLD` on every instance.

    Args:
        name: Of the fleet, of its group, its template and its balancer.
        version: What the group's template names: a number, ``$Latest`` or ``$Default``.
        mixed: Whether it has a mixed instances policy whose second override has its own template.
        check_seconds: How often the load balancer asks each instance for its health.
        document: Sections of the fleet document, in place of those of :data:`DOCUMENT`.
    """
    image = world.cloud.ec2.images.seed(f"acme-{name}-base")
    world.machines.images[image] = Disk((OLD,))
    named = image
    if image_by_parameter:
        world.operator("ssm", "PutParameter", Name="/acme/image", Type="String", Value=image)
        named = "resolve:ssm:/acme/image"
    template = _template(world, name, name, named)
    target_group = _balancer(world, name, check_seconds)
    tags = [
        {"Key": TAG, "Value": name, "PropagateAtLaunch": True, "ResourceId": name}
        | {"ResourceType": "auto-scaling-group"}
    ]
    specification: dict[str, Any] = {"LaunchTemplateId": template, "Version": version}
    launches: dict[str, Any] = {"LaunchTemplate": specification}
    if mixed:
        other = _template(world, name, f"{name}-amd", image)
        launches = {
            "MixedInstancesPolicy": {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": specification,
                    "Overrides": [
                        {"InstanceType": "t3.small"},
                        {
                            "InstanceType": "t3a.small",
                            "LaunchTemplateSpecification": {
                                "LaunchTemplateId": other,
                                "Version": "1",
                            },
                        },
                    ],
                }
            }
        }
    world.operator(
        "autoscaling",
        "CreateAutoScalingGroup",
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=size + 4 if maximum is None else maximum,
        DesiredCapacity=size,
        VPCZoneIdentifier=",".join(each.subnet_id for each in world.cloud.ec2.networks.subnets),
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=60,
        Tags=tags,
        **launches,
    )
    allocations = [
        world.operator(
            "ec2",
            "AllocateAddress",
            Domain="vpc",
            TagSpecifications=[
                {"ResourceType": "elastic-ip", "Tags": [{"Key": TAG, "Value": name}]}
            ],
        )["AllocationId"]
        for _ in range(addresses)
    ]
    fleet = Fleet(world, image, template, target_group, tuple(sorted(allocations)), name)
    sections: dict[str, Any] = {"addresses": {"count": addresses}} if addresses else {}
    if name != "web":
        artefacts = {"s3": {"bucket": BUCKET, "key": f"{name}/*.tar.gz"}}
        sections |= {"groups": [name], "release": artefacts}
    fleet.document(**sections | document)
    world.run_until(lambda: len(fleet.serving) == size, minutes=15)
    world.run_for(minutes=5)
    return fleet


def _template(world: World, fleet: str, name: str, image: str) -> str:
    answer = world.operator(
        "ec2",
        "CreateLaunchTemplate",
        LaunchTemplateName=name,
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.small",
            "IamInstanceProfile": {"Name": "web"},
        },
        TagSpecifications=[
            {"ResourceType": "launch-template", "Tags": [{"Key": TAG, "Value": fleet}]}
        ],
    )
    return str(answer["LaunchTemplate"]["LaunchTemplateId"])


def _balancer(world: World, name: str, check_seconds: int) -> str:
    group = world.operator(
        "elbv2",
        "CreateTargetGroup",
        Name=name,
        Protocol="HTTP",
        Port=8080,
        VpcId=world.cloud.ec2.networks.vpc_id,
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=check_seconds,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    world.operator(
        "elbv2",
        "ModifyTargetGroupAttributes",
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
    )
    balancer = world.operator(
        "elbv2",
        "CreateLoadBalancer",
        Name=name,
        Subnets=[each.subnet_id for each in world.cloud.ec2.networks.subnets],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    world.operator(
        "elbv2",
        "CreateListener",
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(group)
