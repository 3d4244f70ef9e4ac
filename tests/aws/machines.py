"""Two instances: client tokens, an image, an Elastic IP, and when Run Command reaches one."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from tests.aws.account import TAG, Account, Belongings, code
from tests.aws.assumptions import Assumption, Report
from tests.aws.events import Watch

TOKEN = Assumption(
    "RunInstances with the same token is the same instance",
    "EC2 API reference, Ensuring idempotency",
)
MISMATCH = Assumption(
    "the same token with another request is IdempotentParameterMismatch",
    "EC2 API reference, Ensuring idempotency",
)
AGENT = Assumption(
    "Run Command reaches a new instance within 15 minutes",
    "docs/limits.md: When Run Command reaches a new instance",
)
TAKEN = Assumption(
    "an address that is taken is Resource.AlreadyAssociated, if reassociation is not allowed",
    "EC2 API reference, AssociateAddress and Error codes",
)
REPEATED = Assumption(
    "associating an address with its own holder again changes nothing",
    "EC2 API reference, Ensuring idempotency",
)
DUPLICATE = Assumption(
    "a second image of the same name is InvalidAMIName.Duplicate",
    "EC2 API reference, CreateImage and Error codes",
)
SNAPSHOTS = Assumption(
    "tags given to CreateImage are on image and snapshot, and both go together",
    "EC2 API reference, CreateImage and DeregisterImage",
)
ASSUMPTIONS = (TOKEN, MISMATCH, TAKEN, REPEATED, DUPLICATE, SNAPSHOTS, AGENT)
_CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
_STATE_CHANGE = "EC2 Instance State-change Notification"
_IMAGE_CHANGE = "EC2 AMI State Change"


def try_machines(account: Account, owned: Belongings, watch: Watch, report: Report) -> None:
    """Launch two, and go through the calls of a bake and of an address."""
    ec2 = account.client("ec2")
    request = {
        "ImageId": account.image,
        "InstanceType": account.instance_type,
        "SubnetId": account.subnet,
        "IamInstanceProfile": {"Name": _profile(account, owned)},
        "MetadataOptions": {"HttpTokens": "required"},
        "MinCount": 1,
        "MaxCount": 1,
        "TagSpecifications": account.tagged("instance", "volume"),
    }
    first, second = _launch(account, owned, request, "one"), _launch(account, owned, request, "two")
    repeated = ec2.run_instances(**request, ClientToken=f"{account.name}-one")
    report.compare(TOKEN, repeated["Instances"][0]["InstanceId"], first)
    other = {**request, "InstanceInitiatedShutdownBehavior": "terminate"}
    token = f"{account.name}-one"
    report.compare(
        MISMATCH,
        code(lambda: ec2.run_instances(**other, ClientToken=token)),
        "IdempotentParameterMismatch",
    )
    for instance_id in (first, second):
        watch.expect(instance_id, _STATE_CHANGE)
        account.until(lambda each=instance_id: _state(ec2, each) == "running", "running")  # type: ignore[misc]
    _address(account, owned, first, second, report)
    _image(account, owned, watch, first, report)
    _agent(account, second, report)


def _profile(account: Account, owned: Belongings) -> str:
    """An instance profile with which Run Command reaches the instance, and nothing more."""
    iam, name = account.client("iam"), f"{account.name}-instance"
    owned.add(f"role {name}", lambda: iam.delete_role(RoleName=name))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=account.tags)
    owned.add(f"policy of {name}", lambda: iam.detach_role_policy(RoleName=name, PolicyArn=_CORE))
    iam.attach_role_policy(RoleName=name, PolicyArn=_CORE)
    owned.add(
        f"instance profile {name}", lambda: iam.delete_instance_profile(InstanceProfileName=name)
    )
    iam.create_instance_profile(InstanceProfileName=name, Tags=account.tags)
    both = {"InstanceProfileName": name, "RoleName": name}
    owned.add(f"role in {name}", lambda: iam.remove_role_from_instance_profile(**both))
    iam.add_role_to_instance_profile(**both)
    return name


def _launch(account: Account, owned: Belongings, request: dict[str, Any], which: str) -> str:
    ec2, token = account.client("ec2"), f"{account.name}-{which}"
    owned.add(f"instance {token}", lambda: _terminate(account, token))
    made = account.once_allowed(
        lambda: ec2.run_instances(**request, ClientToken=token), "a launch with the new role"
    )
    return str(made["Instances"][0]["InstanceId"])


def _terminate(account: Account, token: str) -> None:
    """What the token made, also where the answer was lost."""
    ec2 = account.client("ec2")
    only = [{"Name": "client-token", "Values": [token]}]
    found = ec2.describe_instances(Filters=only)["Reservations"]
    for instance_id in [each["InstanceId"] for group in found for each in group["Instances"]]:
        ec2.terminate_instances(InstanceIds=[instance_id])
        ended = f"the end of {instance_id}"
        account.until(lambda each=instance_id: _state(ec2, each) in ("terminated", ""), ended)  # type: ignore[misc]


def _state(ec2: Any, instance_id: str) -> str:
    found = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
    states = [
        each["State"]["Name"] for group in found["Reservations"] for each in group["Instances"]
    ]
    return str(states[0]) if states else ""


def _address(account: Account, owned: Belongings, first: str, second: str, report: Report) -> None:
    ec2 = account.client("ec2")
    only = [{"Name": f"tag:{TAG}", "Values": [account.name]}]
    owned.add("Elastic IP", lambda: _release(ec2, only))
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=account.tagged("elastic-ip"))
    allocation = made["AllocationId"]

    def associate(instance_id: str) -> None:
        ec2.associate_address(
            AllocationId=allocation, InstanceId=instance_id, AllowReassociation=False
        )

    associate(first)
    report.compare(TAKEN, code(lambda: associate(second)), "Resource.AlreadyAssociated")
    again = code(lambda: associate(first))
    holder = ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]["InstanceId"]
    # Refused or not: what matters is that the holder stays and that nobody else's code comes.
    held = again in ("accepted", "Resource.AlreadyAssociated") and holder == first
    report.judge(REPEATED, held, f"{again}, held by {'it' if holder == first else holder}")


def _release(ec2: Any, only: list[dict[str, Any]]) -> None:
    for address in ec2.describe_addresses(Filters=only)["Addresses"]:
        if "AssociationId" in address:
            ec2.disassociate_address(AssociationId=address["AssociationId"])
        ec2.release_address(AllocationId=address["AllocationId"])


def _image(
    account: Account, owned: Belongings, watch: Watch, instance_id: str, report: Report
) -> None:
    ec2 = account.client("ec2")
    request = {
        "InstanceId": instance_id,
        "Name": account.name,
        "TagSpecifications": account.tagged("image", "snapshot"),
    }
    named = [{"Name": "name", "Values": [account.name]}]
    owned.add(f"image {account.name} and its snapshot", lambda: _deregister(ec2, named))
    image_id = ec2.create_image(**request)["ImageId"]
    watch.expect(image_id, _IMAGE_CHANGE)
    report.compare(DUPLICATE, code(lambda: ec2.create_image(**request)), "InvalidAMIName.Duplicate")

    def available() -> dict[str, Any] | None:
        seen = ec2.describe_images(Filters=[{"Name": "image-id", "Values": [image_id]}])["Images"]
        return seen[0] if seen and seen[0]["State"] == "available" else None

    image = account.until(available, "the image", minutes=60)
    snapshots = [
        mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"] if "Ebs" in mapping
    ]

    def there() -> list[dict[str, Any]]:
        only = [{"Name": "snapshot-id", "Values": snapshots}]
        found: list[dict[str, Any]] = ec2.describe_snapshots(Filters=only)["Snapshots"]
        return found

    tagged = [account.tags[0] in each.get("Tags", []) for each in (image, *there())]
    _deregister(ec2, named)
    account.until(lambda: not there(), "the end of the snapshot", minutes=5)
    report.judge(SNAPSHOTS, all(tagged), f"{len(snapshots)} snapshots, all tagged: {all(tagged)}")


def _deregister(ec2: Any, named: list[dict[str, Any]]) -> None:
    for image in ec2.describe_images(Owners=["self"], Filters=named)["Images"]:
        ec2.deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)


def _agent(account: Account, instance_id: str, report: Report) -> None:
    ssm, ec2 = account.client("ssm"), account.client("ec2")

    def online() -> bool:
        only = [{"Key": "InstanceIds", "Values": [instance_id]}]
        found = ssm.describe_instance_information(Filters=only)["InstanceInformationList"]
        return [each["PingStatus"] for each in found] == ["Online"]

    account.until(online, "the agent", minutes=15)
    launched: datetime = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0][
        "Instances"
    ][0]["LaunchTime"]
    took = (time.time() - launched.timestamp()) / 60
    report.judge(AGENT, took < 15, f"online at most {took:.1f} minutes after its launch")
