"""The same job as sixty lines of boto3 with waiters, as it is often written; a CI job runs it.

In calm weather it does the job. It is here to show that the faults of the stories bite: nothing of
it is contrived, and whoever wants to make it safe finds himself writing Ovenbird.
"""

from __future__ import annotations

import time
from typing import Any

ENDED = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")


def release(session: Any, group_name: str, revision: str) -> None:
    ec2, ssm, scaling = (session.client(name) for name in ("ec2", "ssm", "autoscaling"))

    def group() -> dict[str, Any]:
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group_name])
        return dict(found["AutoScalingGroups"][0])

    # Bake an image.
    launch, subnet = group()["LaunchTemplate"], group()["VPCZoneIdentifier"].split(",")[0]
    template = {key: launch[key] for key in ("LaunchTemplateId", "Version")}
    tags = [{"Key": "ovenbird:fleet", "Value": group_name}, {"Key": "Name", "Value": "builder"}]
    builder = ec2.run_instances(
        LaunchTemplate=template,
        SubnetId=subnet,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_status_ok").wait(InstanceIds=[builder])
    only = [{"Key": "InstanceIds", "Values": [builder]}]
    while not ssm.describe_instance_information(Filters=only)["InstanceInformationList"]:
        time.sleep(10)
    command = ssm.send_command(
        InstanceIds=[builder],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": [f"export OVENBIRD_REVISION={revision}", "/srv/web/install.sh"]},
    )["Command"]["CommandId"]
    ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=builder)
    ec2.stop_instances(InstanceIds=[builder])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[builder])
    name = f"{group_name}-{revision}-{time.strftime('%Y%m%d-%H%M')}"
    image = ec2.create_image(InstanceId=builder, Name=name)["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image])
    ec2.terminate_instances(InstanceIds=[builder])

    # Publish it and replace the instances.
    new = ec2.create_launch_template_version(
        LaunchTemplateId=template["LaunchTemplateId"],
        SourceVersion=template["Version"],
        LaunchTemplateData={"ImageId": image},
    )["LaunchTemplateVersion"]["VersionNumber"]
    refresh = scaling.start_instance_refresh(
        AutoScalingGroupName=group_name,
        DesiredConfiguration={"LaunchTemplate": {**template, "Version": str(new)}},
        Preferences={
            "MinHealthyPercentage": 100,
            "MaxHealthyPercentage": 125,
            "InstanceWarmup": 60,
            "AutoRollback": True,
        },
    )["InstanceRefreshId"]
    status = "Pending"
    while status not in ENDED:
        time.sleep(30)
        status = scaling.describe_instance_refreshes(
            AutoScalingGroupName=group_name, InstanceRefreshIds=[refresh]
        )["InstanceRefreshes"][0]["Status"]

    # Move the addresses.
    mine = [{"Name": "tag:ovenbird:fleet", "Values": [group_name]}]
    addresses = ec2.describe_addresses(Filters=mine)["Addresses"]
    serving = [each for each in group()["Instances"] if each["LifecycleState"] == "InService"]
    for address, instance in zip(addresses, serving, strict=False):
        ec2.associate_address(
            AllocationId=address["AllocationId"], InstanceId=instance["InstanceId"]
        )
