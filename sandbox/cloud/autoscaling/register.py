"""The groups of the account, by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Parameters

T = TypeVar("T")

PENDING_DELETE = "The AutoScaling group may not be modified while it is pending delete"


class Register:
    """Finds groups and members, or refuses in Auto Scaling's words."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.groups: dict[str, Group] = {}

    def find(self, name: str) -> Group:
        """The group of that name.

        Raises:
            AwsError: There is none.
        """
        if name not in self.groups:
            raise AwsError(
                "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name}"
            )
        return self.groups[name]

    def modifiable(self, name: str, otherwise: str = PENDING_DELETE) -> Group:
        """The group of that name, unless it is being deleted.

        Source: github.com/kubernetes/kops/issues/1001, capitalone/cloud-custodian/issues/497.

        Raises:
            AwsError: There is none, or it is about to go.
        """
        group = self.find(name)
        if group.deleting:
            raise AwsError("ValidationError", otherwise)
        return group

    def visible(self) -> list[Group]:
        """The groups that describe calls show already."""
        hidden = self._kernel.scaled(self._kernel.visible_after)
        now = self._kernel.now()
        return [group for group in self.groups.values() if group.created + hidden <= now]

    def members(self, group: Group, instance_ids: Iterable[str]) -> list[Member]:
        """Instances of one group.

        Raises:
            AwsError: One of them is not in the group.
        """
        found = []
        for instance_id in instance_ids:
            if instance_id not in group.members:
                raise AwsError(
                    "ValidationError",
                    f"The instance {instance_id} is not part of Auto Scaling group {group.name}.",
                )
            found.append(group.members[instance_id])
        return found

    def owner(self, instance_id: str) -> tuple[Group, Member]:
        """The group that an instance belongs to.

        Raises:
            AwsError: It belongs to none.
        """
        for group in self.groups.values():
            if instance_id in group.members:
                return group, group.members[instance_id]
        raise AwsError(
            "ValidationError",
            f"Instance Id not found - No managed instance found for instance ID: {instance_id}",
        )


def page(found: Sequence[T], params: Parameters, *, at_once: int = 50) -> tuple[Sequence[T], Any]:
    """One page of what was found, and ``{"NextToken": …}`` if more follows."""
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise AwsError("InvalidNextToken", f"The token '{token}' is invalid.")
    begin, size = int(token), params.get("MaxRecords", at_once)
    more = {"NextToken": str(begin + size)} if begin + size < len(found) else {}
    return found[begin : begin + size], more


def known_only(params: Parameters, known: Iterable[str]) -> None:
    """Refuse members that this model does not have, rather than do something else than AWS."""
    if unknown := sorted(set(params) - set(known)):
        raise AwsError("ValidationError", f"The sandbox does not model {', '.join(unknown)}.")
