"""An Auto Scaling group as it stands: what was observed, nothing decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TemplateVersion:
    """A launch template and a version of it, as the group writes it (``$Latest`` is possible)."""

    template_id: str
    version: str

    @property
    def is_pinned(self) -> bool:
        """Whether the version is a number; only then can AWS roll a refresh back."""
        return self.version.isdigit()


def template_version(specification: Mapping[str, Any] | None) -> TemplateVersion | None:
    """A LaunchTemplateSpecification as AWS returns it; without a version it means ``$Default``.

    A refresh that somebody else started may name the template only by its name; ours never does, so
    the name stands for an id that is not ours.
    """
    if not specification:
        return None
    return TemplateVersion(
        specification.get("LaunchTemplateId") or specification["LaunchTemplateName"],
        specification.get("Version", "$Default"),
    )


def override_templates(mixed: Mapping[str, Any] | None) -> tuple[TemplateVersion | None, ...]:
    """The template that each override of a mixed instances policy names for itself, if any."""
    launch = (mixed or {}).get("LaunchTemplate") or {}
    return tuple(
        template_version(override.get("LaunchTemplateSpecification"))
        for override in launch.get("Overrides") or []
    )


def versions_by_template(templates: Iterable[TemplateVersion | None]) -> dict[str, str]:
    """Template id → version, of all the templates that something launches from."""
    return {each.template_id: each.version for each in templates if each is not None}


@dataclass(frozen=True)
class Member:
    """An instance of the group.

    ``template`` is what it was launched from, ``None`` for launch configurations and attached
    instances.
    """

    instance_id: str
    lifecycle: str  # InService, Pending, Terminating:Wait, Standby …
    healthy: bool
    template: TemplateVersion | None
    protected: bool = False
    zone: str = ""

    @property
    def in_service(self) -> bool:
        """Whether it counts as capacity."""
        return self.lifecycle == "InService" and self.healthy


@dataclass(frozen=True)
class Group:
    """A group: its sizes, its saved configuration and its instances.

    ``template`` is the saved launch template (of the mixed instances policy if there is one);
    ``overrides`` are the templates that its overrides name for themselves, in their order, with
    ``None`` for an override that names none. ``mixed`` is the policy as AWS returns it, to be sent
    back with other versions.
    """

    name: str
    arn: str
    min_size: int
    max_size: int
    desired: int
    template: TemplateVersion | None
    members: tuple[Member, ...] = ()
    overrides: tuple[TemplateVersion | None, ...] = ()
    mixed: dict[str, object] | None = field(default=None, hash=False)
    launch_configuration: str | None = None
    tags: dict[str, str] = field(default_factory=dict, hash=False)
    subnets: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    health_check_type: str = "EC2"
    default_warmup_seconds: int | None = None
    health_check_grace_seconds: int = 0
    suspended: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """What the group's saved configuration launches: template id → version."""
        return versions_by_template((*self.overrides, self.template))

    @property
    def warmup_seconds(self) -> int:
        """How long AWS lets a new instance warm up where nobody says otherwise.

        Source: EC2 Auto Scaling API reference, RefreshPreferences, InstanceWarmup.
        """
        if self.default_warmup_seconds is None:
            return self.health_check_grace_seconds
        return self.default_warmup_seconds

    @property
    def selects_by_attributes(self) -> bool:
        """Whether an override describes instance types by attributes.

        Such a group takes no DesiredConfiguration and no SkipMatching.
        Source: EC2 Auto Scaling user guide, "How an instance refresh works".
        """
        return any("InstanceRequirements" in override for override in self._overrides)

    @property
    def overrides_images(self) -> bool:
        """Whether an override names an image itself; a new template version would not reach it."""
        return any("ImageId" in override for override in self._overrides)

    @property
    def _overrides(self) -> list[dict[str, Any]]:
        mixed: Mapping[str, Any] = self.mixed or {}
        return list((mixed.get("LaunchTemplate") or {}).get("Overrides") or [])
