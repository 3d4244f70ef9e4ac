"""Tags of EC2's resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.cloud.ec2 import filters
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result
from sandbox.cloud.pages import page

_TYPES = {
    "i": "instance",
    "ami": "image",
    "snap": "snapshot",
    "vol": "volume",
    "lt": "launch-template",
    "eipalloc": "elastic-ip",
    "subnet": "subnet",
    "vpc": "vpc",
}
_MOST = 50  # Source: EC2 User Guide, Tag restrictions


def requested(
    specifications: Sequence[dict[str, Any]], allowed: Iterable[str]
) -> dict[str, dict[str, str]]:
    """What a call's TagSpecifications ask for, by resource type.

    Raises:
        AwsError: The call makes no resource of that type.
    """
    wanted: dict[str, dict[str, str]] = {}
    for specification in specifications:
        kind = specification.get("ResourceType", "")
        if kind not in allowed:
            raise AwsError(
                "InvalidParameterValue",
                f"'{kind}' is not a valid taggable resource type for this operation.",
            )
        wanted.setdefault(kind, {}).update(_pairs(specification.get("Tags", ())))
    for pairs in wanted.values():
        _check(pairs)
    return wanted


def as_list(pairs: dict[str, str]) -> dict[str, Any]:
    """``{"Tags": […]}``, or nothing at all: AWS leaves the member out when there are no tags."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]} if pairs else {}


class Tags:
    """Every resource's tags; the owners of resources say which ids exist."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._owners: dict[str, Callable[[str], object]] = {}

    def owner(self, prefix: str, find: Callable[[str], object]) -> None:
        """``find`` raises the resource's own NotFound error."""
        self._owners[prefix] = find

    def of(self, resource_id: str) -> dict[str, str]:
        return self._tags.get(resource_id, {})

    def put(self, resource_id: str, pairs: dict[str, str]) -> None:
        if pairs:
            self._tags.setdefault(resource_id, {}).update(pairs)

    def forget(self, resource_id: str) -> None:
        self._tags.pop(resource_id, None)

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTags": self.create,
            "DeleteTags": self.delete,
            "DescribeTags": self.describe,
        }

    def create(self, params: Parameters) -> Result:
        pairs = _pairs(params["Tags"])
        _check(pairs)
        for resource_id in params["Resources"]:
            self._find(resource_id)
            check_number(self.of(resource_id) | pairs)
        for resource_id in params["Resources"]:
            self.put(resource_id, pairs)
        return {}

    def delete(self, params: Parameters) -> Result:
        """A tag given with a value goes only if it has that value; no tags at all means every one.

        Source: EC2 API reference, DeleteTags.
        """
        for resource_id in params["Resources"]:
            self._find(resource_id)
        _check({tag["Key"]: "" for tag in params.get("Tags") or ()})
        for resource_id in params["Resources"]:
            has = self._tags.get(resource_id, {})
            unwanted = params.get("Tags") or [
                {"Key": key} for key in has if not key.startswith("aws:")
            ]
            for tag in unwanted:
                if tag["Key"] in has and tag.get("Value", has[tag["Key"]]) == has[tag["Key"]]:
                    del has[tag["Key"]]
        return {}

    def describe(self, params: Parameters) -> Result:
        rows = [
            {"ResourceId": resource_id, "ResourceType": kind(resource_id), "Key": k, "Value": v}
            for resource_id, pairs in sorted(self._tags.items())
            for k, v in pairs.items()
        ]
        rows = filters.chosen(
            params.get("Filters", ()),
            rows,
            {
                "key": lambda row: [row["Key"]],
                "value": lambda row: [row["Value"]],
                "resource-id": lambda row: [row["ResourceId"]],
                "resource-type": lambda row: [row["ResourceType"]],
            },
            lambda row: {row["Key"]: row["Value"]},
        )
        rows, more = page(rows, params)
        return {"Tags": rows, **more}

    def _find(self, resource_id: str) -> None:
        find = self._owners.get(resource_id.partition("-")[0])
        if find is None:
            raise AwsError("InvalidID", f"The ID '{resource_id}' is not valid")
        find(resource_id)


def kind(resource_id: str) -> str:
    """The resource type that an id's prefix stands for."""
    return _TYPES.get(resource_id.partition("-")[0], "")


def check_number(pairs: dict[str, str]) -> None:
    """AWS's own do not count. Source: EC2 user guide, "Tag restrictions"."""
    if sum(not key.startswith("aws:") for key in pairs) > _MOST:
        raise AwsError("TagLimitExceeded", "The maximum number of tags is 50.")


def _pairs(tags: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


def _check(pairs: dict[str, str]) -> None:
    for key, value in pairs.items():
        if key.lower().startswith("aws:"):
            raise AwsError(
                "InvalidParameterValue",
                f"Tag keys starting with 'aws:' are reserved for internal use: {key}",
            )
        if not 1 <= len(key) <= 127 or len(value) > 256:
            raise AwsError("InvalidParameterValue", f"Tag '{key}' is longer than allowed")
