"""Who in a group runs what: nothing is done before every instance has been counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ovenbird.core.groups import Group, Member
from ovenbird.core.names import few

_LEAVING = ("Terminating", "Terminated", "Detaching", "Detached", "Quarantined")
_STANDBY = ("Standby", "EnteringStandby")


@dataclass(frozen=True)
class Census:
    """The instances of a group, each in one place (those on their way out are not counted).

    ``apart`` are instances on another version that the owner asked to leave alone: in standby or
    protected from scale-in. ``saved`` says whether the group's own configuration is there too, so
    that its next instance will be.
    """

    on_target: tuple[str, ...]
    stragglers: tuple[str, ...]
    apart: tuple[str, ...]
    saved: bool

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be done."""
        return self.saved and not self.stragglers

    def __str__(self) -> str:
        counted = len(self.on_target) + len(self.stragglers) + len(self.apart)
        text = f"{len(self.on_target)} of {counted} instances are on the wanted version"
        if self.stragglers:
            text += f"; not yet: {few(self.stragglers)}"
        if self.apart:
            text += f"; left alone (standby or protected): {few(self.apart)}"
        if not self.saved:
            text += "; the group itself still launches another version"
        return text


def count(
    group: Group,
    versions: Mapping[str, str],
    *,
    protected_instances: str = "Refresh",
    standby_instances: str = "Ignore",
) -> Census:
    """Count a group's instances against the versions that it shall run.

    Args:
        versions: Template id → version number; an instance is on target when it was launched from
            one of these templates in that version.
        protected_instances: The refresh's ScaleInProtectedInstances; ``Ignore`` sets them apart.
        standby_instances: The refresh's StandbyInstances; ``Ignore`` sets them apart.
    """
    on_target, stragglers, apart = [], [], []
    for member in group.members:
        if member.lifecycle.removeprefix("Warmed:").startswith(_LEAVING):
            continue
        if _is_on(member, versions):
            on_target.append(member.instance_id)
        elif (member.lifecycle in _STANDBY and standby_instances == "Ignore") or (
            member.protected and protected_instances == "Ignore"
        ):
            apart.append(member.instance_id)
        else:
            stragglers.append(member.instance_id)
    return Census(
        tuple(sorted(on_target)),
        tuple(sorted(stragglers)),
        tuple(sorted(apart)),
        saved=group.versions == dict(versions),
    )


def arrived(group: Group, versions: Mapping[str, str]) -> tuple[str, ...]:
    """The instances of these versions that are in service, whatever their health."""
    return tuple(
        sorted(
            member.instance_id
            for member in group.members
            if member.lifecycle == "InService" and _is_on(member, versions)
        )
    )


def _is_on(member: Member, versions: Mapping[str, str]) -> bool:
    template = member.template
    return template is not None and versions.get(template.template_id) == template.version
