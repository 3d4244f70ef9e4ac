"""The sample fleet: what a team has before it meets Ovenbird, made by ordinary calls to AWS.

Only the team's first image is put there by hand (an instance to make it from would cost a minute):
the sample application's version 1 on a disk that boots it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import releases
from sandbox.cloud.cloud import Cloud
from sandbox.machines import APPLICATION_PORT, RealMachines

NAME = "web"
ALARM = "web-unhealthy"
BUCKET = "web-releases"
SIZE = 4
ADDRESSES = 2
TAG = {"Key": "ovenbird:fleet", "Value": NAME}
DOCUMENT = {
    "groups": [NAME],
    "release": {"s3": {"bucket": BUCKET, "key": f"{NAME}/*.tar.gz"}},
    "bake": {"install": list(releases.INSTALL), "verify": list(releases.VERIFY)},
    "roll": {"alarms": [ALARM]},
    "addresses": {"count": ADDRESSES},
}
_PATIENCE_SECONDS = 30.0


class FleetNotReady(Exception):
    """The fleet's instances did not become healthy in time."""


@dataclass(frozen=True)
class SampleFleet:
    """The names and ids of what was made."""

    name: str
    image_id: str
    template_id: str
    target_group_arn: str
    bucket: str
    alarm: str


def make_fleet(cloud: Cloud, machines: RealMachines, client: Callable[[str], Any]) -> SampleFleet:
    """Make the fleet and wait until it serves.

    Raises:
        FleetNotReady: An instance is still not healthy after half a minute.
    """
    image_id = _first_image(cloud, machines)
    template_id = _template(client("ec2"), image_id)
    subnets = [subnet["SubnetId"] for subnet in client("ec2").describe_subnets()["Subnets"]]
    target_group_arn, balancer_arn = _balancer(client("elbv2"), client("ec2"), subnets)
    _group(client("autoscaling"), template_id, target_group_arn, subnets)
    _alarm(client("cloudwatch"), target_group_arn, balancer_arn)
    _bucket(client("s3"))
    client("ssm").put_parameter(
        Name=f"/ovenbird/fleets/{NAME}", Type="String", Value=json.dumps(DOCUMENT, indent=2)
    )
    instances = _healthy(client("elbv2"), target_group_arn)
    _addresses(client("ec2"), instances)
    return SampleFleet(NAME, image_id, template_id, target_group_arn, BUCKET, ALARM)


def _first_image(cloud: Cloud, machines: RealMachines) -> str:
    with tempfile.TemporaryDirectory() as directory:
        disk = Path(directory)
        shutil.copytree(releases.APPLICATION / "etc", disk / "etc")
        (disk / "srv/web").mkdir(parents=True)
        for path in releases.files("1"):
            shutil.copy(path, disk / "srv/web")
        with cloud.kernel.lock:
            image_id = cloud.ec2.seed_image("web-1")
            machines.store(image_id, disk)
    return image_id


def _template(ec2: Any, image_id: str) -> str:
    made = ec2.create_launch_template(
        LaunchTemplateName=NAME,
        LaunchTemplateData={
            "ImageId": image_id,
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Name": NAME},  # else no agent reports
        },
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [TAG]}],
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def _balancer(elbv2: Any, ec2: Any, subnets: list[str]) -> tuple[str, str]:
    vpc_id = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    target_group = elbv2.create_target_group(
        Name=NAME,
        Protocol="HTTP",
        Port=APPLICATION_PORT,
        VpcId=vpc_id,
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=15,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=4,  # a machine that boots needs its time
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "20"}],
    )
    balancer = elbv2.create_load_balancer(Name=NAME, Subnets=subnets)["LoadBalancers"][0]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    return target_group, balancer["LoadBalancerArn"]


def _group(autoscaling: Any, template_id: str, target_group_arn: str, subnets: list[str]) -> None:
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        LaunchTemplate={"LaunchTemplateId": template_id, "Version": "1"},
        MinSize=2,
        MaxSize=8,
        DesiredCapacity=SIZE,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group_arn],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=120,
        Tags=[{**TAG, "PropagateAtLaunch": True}],
    )


def _alarm(cloudwatch: Any, target_group_arn: str, balancer_arn: str) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        AlarmDescription="A target of the web fleet fails its health checks.",
        Namespace="AWS/ApplicationELB",
        MetricName="UnHealthyHostCount",
        Dimensions=[
            {"Name": "TargetGroup", "Value": target_group_arn.rpartition(":")[2]},
            {"Name": "LoadBalancer", "Value": balancer_arn.partition("loadbalancer/")[2]},
        ],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )


def _bucket(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def _healthy(elbv2: Any, target_group_arn: str) -> list[str]:
    """The ids of the group's instances, once all of them are healthy."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        targets = elbv2.describe_target_health(TargetGroupArn=target_group_arn)
        found = targets["TargetHealthDescriptions"]
        healthy = [
            each["Target"]["Id"] for each in found if each["TargetHealth"]["State"] == "healthy"
        ]
        if len(healthy) == SIZE:
            return healthy
        if time.monotonic() > deadline:
            raise FleetNotReady(f"After {_PATIENCE_SECONDS:.0f} s only {len(healthy)} are healthy.")
        time.sleep(0.05)


def _addresses(ec2: Any, instances: list[str]) -> None:
    for instance_id in instances[:ADDRESSES]:
        allocated = ec2.allocate_address(
            Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": [TAG]}]
        )
        ec2.associate_address(
            AllocationId=allocated["AllocationId"],
            InstanceId=instance_id,
            AllowReassociation=False,
        )
