"""Builders: the EC2 instances that Ovenbird launches itself, outside any group.

Instances are described by tag and never by id, so one that is not visible yet is missing, not an
error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, quotas
from ovenbird.aws.faults import code, text, translated
from ovenbird.core.builders import BUILDER, ROLE, Builder
from ovenbird.core.images import FLEET, ROLLOUT
from ovenbird.errors import BakeFailed

_NO_ROOM = {
    "InsufficientAddressCapacity",
    "InsufficientCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientInstanceCapacity",
    "Unsupported",  # the type is not offered in the subnet's zone
}


def builders(fleet: str) -> list[Builder]:
    """Every builder of the fleet that EC2 still knows, terminated ones (for about an hour) too.

    IAM: ec2:DescribeInstances
    Source: EC2 user guide, "Terminate Amazon EC2 instances".
    """
    with translated(f"look for builders of the fleet {fleet}"):
        pages = (
            clients.get("ec2")
            .get_paginator("describe_instances")
            .paginate(
                Filters=[
                    {"Name": f"tag:{FLEET}", "Values": [fleet]},
                    {"Name": f"tag:{ROLE}", "Values": [BUILDER]},
                ],
                PaginationConfig={"PageSize": 100},
            )
        )
        return [
            _builder(instance)
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ]


def _builder(instance: Mapping[str, Any]) -> Builder:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return Builder(
        instance["InstanceId"],
        instance["State"]["Name"],
        instance["LaunchTime"],
        rollout=tags.get(ROLLOUT, ""),
        state_reason=instance.get("StateReason", {}).get("Message", ""),
    )


def launch(requests: Sequence[Mapping[str, Any]]) -> str:
    """Launch one builder by the first of the requests that EC2 has room for.

    Repeating the same requests returns the same instance, because each carries its ClientToken.

    Returns:
        The instance id, ``i-…``; describe calls may not show it for some seconds.

    Raises:
        BakeFailed: EC2 has no room for any of them, a quota of the account is used up, or the
            token's instance is terminated already.
        NotFound: The template, image or subnet is gone.

    IAM: ec2:RunInstances
    IAM also: ec2:CreateTags, iam:PassRole
    Source: EC2 API reference, RunInstances.
    """
    refused = []
    for request in requests:
        with translated("launch a builder"):
            try:
                answer = clients.get("ec2").run_instances(**request)
            except ClientError as error:
                if code(error) == "IdempotentInstanceTerminated":
                    raise BakeFailed("The builder was terminated before its image was made.") from (
                        error
                    )
                if quotas.is_used_up(error):
                    raise BakeFailed(
                        quotas.sentence(error, request.get("InstanceType", ""))
                    ) from error
                if code(error) not in _NO_ROOM:
                    raise
                refused.append(f"{text(error)} ({code(error)})")
                continue
            return str(answer["Instances"][0]["InstanceId"])
    raise BakeFailed("EC2 has no room for a builder: " + "; ".join(refused))


def stop(instance_id: str) -> None:
    """Begin to shut an instance down; repeating it on a stopping or stopped one changes nothing.

    IAM: ec2:StopInstances
    """
    with translated(f"stop the builder {instance_id}"):
        clients.get("ec2").stop_instances(InstanceIds=[instance_id])


def terminate(instance_ids: Iterable[str]) -> None:
    """Begin to terminate instances; those that are gone or going are passed over.

    One call for each, because EC2 refuses a whole call for one unknown id.

    IAM: ec2:TerminateInstances
    Source: EC2 API reference, TerminateInstances.
    """
    for instance_id in instance_ids:
        with translated(f"terminate the builder {instance_id}"):
            try:
                clients.get("ec2").terminate_instances(InstanceIds=[instance_id])
            except ClientError as error:
                if code(error) != "InvalidInstanceID.NotFound":
                    raise
