"""Builders: the EC2 instances that Ovenbird launches itself, outside any group.

Instances are described by tag and never by id, so one that is not visible yet is missing, not an
error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, quotas
from ovenbird.aws.faults import code, text, translated
from ovenbird.core import codes
from ovenbird.core.blueprints import BUILDER, ROLE, Attempt
from ovenbird.core.builders import Builder
from ovenbird.core.images import FLEET, ROLLOUT
from ovenbird.errors import BakeFailed

_GROUP = "aws:autoscaling:groupName"  # nobody but AWS can write it


def builders(fleet: str) -> list[Builder]:
    """What carries the tags of a builder of the fleet, terminated ones (for about an hour) too.

    A tag finds, an id decides: which of them are builders, :func:`ovenbird.core.builders.ours`
    says.

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
        client_token=instance.get("ClientToken", ""),
        group=tags.get(_GROUP, ""),
        stopped=_stopped(instance.get("StateTransitionReason", "")),
    )


def _stopped(transition: str) -> datetime | None:
    """``User initiated (2026-01-05 09:16:59 GMT)``; ``None`` where it says something else.

    Source: EC2 API reference, Instance, StateTransitionReason.
    """
    said = re.search(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)", transition)
    return datetime.fromisoformat(said[1]).replace(tzinfo=UTC) if said else None


def launch(attempts: Sequence[Attempt]) -> str:
    """Launch one builder by the first of the attempts that EC2 has room for.

    Repeating the same attempts returns the same instance, because each carries its ClientToken.

    Returns:
        The instance id, ``i-…``; describe calls may not show it for some seconds.

    Raises:
        BakeFailed: EC2 has no room for any of them, none of their types will do, a quota of the
            account is used up, or the token's instance is terminated already.
        NotFound, Denied, Declined: No attempt can work: an image or a key pair is gone, a
            permission is missing, the account is blocked.

    IAM: ec2:RunInstances
    IAM also: ec2:CreateTags, iam:PassRole
    Source: EC2 API reference, RunInstances.
    """
    refused: list[str] = []
    hopeless: set[tuple[str, int]] = set()  # kinds of attempts of which no subnet will do
    other: tuple[ClientError, str] | None = None
    for attempt in attempts:
        if attempt.kind in hopeless:
            continue
        with translated("launch a builder"):
            try:
                answer = clients.get("ec2").run_instances(**attempt.request)
            except ClientError as error:
                name = code(error)
                if name == "IdempotentInstanceTerminated":
                    raise BakeFailed("The builder was terminated before its image was made.") from (
                        error
                    )
                if not codes.is_of_the_zone(name):
                    if not codes.is_of_the_type(name):
                        raise
                    hopeless.add(attempt.kind)
                    other = other or (error, attempt.kind[0])
                refused.append(f"{text(error)} ({name})")
                continue
            return str(answer["Instances"][0]["InstanceId"])
    if other is not None:
        first, instance_type = other
        said = f"{text(first)} ({code(first)})"
        if quotas.is_used_up(first):
            said = quotas.sentence(first, instance_type)
        raise BakeFailed(f"Could not launch a builder: {said}") from first
    raise BakeFailed("Could not launch a builder: EC2 has no room: " + "; ".join(refused))


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
