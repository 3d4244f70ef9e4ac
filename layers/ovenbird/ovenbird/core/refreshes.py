"""AWS's instance refresh: what is asked of it, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ovenbird.core.groups import (
    Group,
    TemplateVersion,
    override_templates,
    versions_by_template,
)

ACTIVE = frozenset({"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"})
ENDING = frozenset({"Cancelling", "RollbackInProgress"})


@dataclass(frozen=True)
class Refresh:
    """An instance refresh, running or ended.

    ``percent`` counts replaced instances that are healthy and warm; ``remaining`` those that are
    still to be replaced. ``template`` and ``mixed`` are the desired configuration: one of them, or
    none for a refresh that was started without. ``turned`` is when its rollback began.
    """

    refresh_id: str
    status: str
    reason: str = ""
    percent: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    template: TemplateVersion | None = None
    mixed: dict[str, object] | None = field(default=None, hash=False)
    remaining: int = 0
    turned: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it still does something; AWS allows one active refresh per group."""
        return self.status in ACTIVE

    @property
    def ending(self) -> bool:
        """Whether it is on its way to a failure: being cancelled or rolled back."""
        return self.status in ENDING

    @property
    def versions(self) -> dict[str, str]:
        """Where it goes: template id → version; empty without a desired configuration."""
        return versions_by_template((*override_templates(self.mixed), self.template))

    def forward(self, now: datetime) -> tuple[datetime, datetime] | None:
        """From when until when the group launched what it goes to; ``None`` before it has begun."""
        if self.started is None:
            return None
        return self.started, self.turned or self.ended or now

    def __str__(self) -> str:
        reason = f": {self.reason.rstrip('.')}" if self.reason else ""
        return f"Refresh {self.refresh_id} is {self.status} at {self.percent} %{reason}"


def ours(refresh: Refresh, versions: Mapping[str, str], began: datetime) -> bool:
    """Whether a refresh belongs to the rollout that began then and goes to these versions.

    A refresh carries no tag and no token, so it is known by where it goes and when it began. Its
    times may be cut to whole seconds, and a pending one may have none yet.
    """
    in_time = refresh.started is None or refresh.started >= began.replace(microsecond=0)
    return in_time and refresh.versions == dict(versions)


def configuration(group: Group, versions: Mapping[str, str]) -> dict[str, Any]:
    """The DesiredConfiguration that brings a group to these versions, and nothing else.

    A group with a mixed instances policy gets the whole policy with other versions, in the
    overrides too. AWS wants each template by id or by name, not both, and returns both.

    Raises:
        ValueError: The group has no launch template, or ``versions`` does not name it.
    """
    template = group.template
    if template is None or template.template_id not in versions:
        raise ValueError(f"group {group.name} launches {template}, which is not in {versions}")
    if group.mixed is None:
        return {"LaunchTemplate": _specification(template.template_id, versions)}
    mixed: dict[str, Any] = deepcopy(group.mixed)
    launch = mixed["LaunchTemplate"]
    launch["LaunchTemplateSpecification"] = _specification(template.template_id, versions)
    for override, named in zip(launch.get("Overrides") or [], group.overrides, strict=True):
        if named is not None:
            override["LaunchTemplateSpecification"] = (
                _specification(named.template_id, versions)
                if named.template_id in versions
                else {"LaunchTemplateId": named.template_id, "Version": named.version}
            )
    return {"MixedInstancesPolicy": mixed}


def _specification(template_id: str, versions: Mapping[str, str]) -> dict[str, str]:
    return {"LaunchTemplateId": template_id, "Version": versions[template_id]}
