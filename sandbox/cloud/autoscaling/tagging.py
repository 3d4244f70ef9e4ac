"""The tags of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.cloud.autoscaling.group import Group, Tag
from sandbox.cloud.autoscaling.register import Register, page
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result


class TagCalls:
    """CreateOrUpdateTags and DescribeTags."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def operations(self) -> dict[str, Operation]:
        return {"CreateOrUpdateTags": self.tag, "DescribeTags": self.describe_tags}

    def tag(self, params: Parameters) -> Result:
        """Tag groups; instances that run already do not get the tag."""
        groups = [self._register.find(each["ResourceId"]) for each in params["Tags"]]
        for group, each in zip(groups, params["Tags"], strict=True):
            put(group, [each])
        return {}

    def describe_tags(self, params: Parameters) -> Result:
        """All tags, or those that pass the filters."""
        shows: dict[str, Callable[[dict[str, Any]], str]] = {
            "auto-scaling-group": lambda tag: str(tag["ResourceId"]),
            "key": lambda tag: str(tag["Key"]),
            "value": lambda tag: str(tag["Value"]),
            "propagate-at-launch": lambda tag: str(tag["PropagateAtLaunch"]).lower(),
        }
        found = [
            tag
            for group in self._register.visible()
            for tag in map(group.describe_tag, group.tags)
            if all(shows[each["Name"]](tag) in each["Values"] for each in params.get("Filters", []))
        ]
        shown, more = page(found, params)
        return {"Tags": list(shown), **more}


def put(group: Group, tags: Iterable[dict[str, Any]]) -> None:
    """Set the tags, as the API lists them."""
    for tag in tags:
        value, propagate = tag.get("Value", ""), tag.get("PropagateAtLaunch", False)
        group.tags[tag["Key"]] = Tag(value, propagate)


def passes(group: Group, wanted: dict[str, Any]) -> bool:
    """Whether a filter of DescribeAutoScalingGroups lets the group pass."""
    name, values = wanted["Name"], wanted["Values"]
    if name == "tag-key":
        return any(key in values for key in group.tags)
    if name == "tag-value":
        return any(tag.value in values for tag in group.tags.values())
    if name.startswith("tag:"):
        tag = group.tags.get(name.removeprefix("tag:"))
        return tag is not None and tag.value in values
    raise AwsError("ValidationError", f"Filter type {name} is not correct.")
