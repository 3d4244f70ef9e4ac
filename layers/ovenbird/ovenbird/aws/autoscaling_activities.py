"""Scaling activities: what a group tried by itself, of which only launches are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.core.launches import Launch
from ovenbird.errors import NotFound


def launches(group: str, since: datetime, until: datetime) -> tuple[Launch, ...]:
    """The launches that the group tried in that time, newest first.

    Only so far back as a page has one that was the image's chance: in a large group there are many.

    Raises:
        NotFound: The group is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: autoscaling:DescribeScalingActivities
    """
    found: list[Launch] = []
    within = [
        {"Name": "StartTimeLowerBound", "Values": [since.isoformat()]},
        {"Name": "StartTimeUpperBound", "Values": [until.isoformat()]},
    ]
    with faults.translated(f"describe the activities of group {group}"):
        pages = clients.get("autoscaling").get_paginator("describe_scaling_activities")
        try:
            for page in pages.paginate(AutoScalingGroupName=group, Filters=within):
                found += [each for each in map(_launch, page["Activities"]) if each is not None]
                if any(each.was_a_chance for each in found):
                    break
        except ClientError as error:
            if faults.code(error) == "ValidationError":
                raise NotFound(
                    f"The activities of group {group} cannot be read: {faults.text(error)}"
                ) from error
            raise
    return tuple(found)


def _launch(activity: Mapping[str, Any]) -> Launch | None:
    """Only the description says that it is a launch, and which instance came of it."""
    described = activity["Description"]
    if not described.startswith("Launching"):
        return None
    instance = re.search(r"\bi-[0-9a-f]{8,}\b", described)
    return Launch(instance[0] if instance else "", activity.get("StatusMessage", ""))
