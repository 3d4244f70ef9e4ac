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
    weight: int = 1  # the units of capacity that it counts for

    @property
    def in_service(self) -> bool:
        """Whether it serves as capacity."""
        return self.lifecycle == "InService" and self.healthy

    @property
    def counts(self) -> bool:
        """Whether AWS counts it towards the desired capacity: in service, or on its way there."""
        return self.lifecycle == "InService" or self.lifecycle.startswith("Pending")


@dataclass(frozen=True)
class Group:
    """A group: its sizes, its saved configuration and its instances.

    ``template`` is the saved launch template (of the mixed instances policy if there is one);
    ``overrides`` are the templates that its overrides name for themselves, in their order, with
    ``None`` for an override that names none. ``mixed`` is the policy as AWS returns it, to be sent
    back with other versions. ``propagated`` are the keys of the tags that new instances get;
    ``target_groups`` are ARNs, ``classic_balancers`` names, ``lattice_groups`` what AWS shows of
    VPC Lattice's target groups. ``status`` is empty unless the group is being deleted.
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
    propagated: frozenset[str] = frozenset()
    zones: tuple[str, ...] = ()
    classic_balancers: tuple[str, ...] = ()
    lattice_groups: tuple[str, ...] = ()
    status: str = ""
    warm_pool: bool = False

    @property
    def leaving(self) -> bool:
        """Whether the group is being deleted; AWS shows a status only then.

        Source: EC2 Auto Scaling API reference, AutoScalingGroup, Status.
        """
        return bool(self.status)

    @property
    def feeds_balancers(self) -> bool:
        """Whether anybody but the group itself says if an instance gets traffic."""
        return bool(self.target_groups or self.classic_balancers or self.lattice_groups)

    @property
    def asks_balancers(self) -> bool:
        """Whether AWS itself replaces an instance that a balancer calls unhealthy."""
        return "ELB" in self.health_check_type.split(",")

    @property
    def traffic_seconds(self) -> int:
        """How long a new instance may need until its balancers want it; 0 where it feeds none.

        The grace period is its owner's word for that. Where AWS does not ask the balancers, the
        owner may not have thought of it.
        """
        if not self.feeds_balancers:
            return 0
        return max(self.health_check_grace_seconds, 60 if self.asks_balancers else 120)

    @property
    def weighted(self) -> bool:
        """Whether its sizes count units, of which an instance has as many as its weight.

        Source: EC2 Auto Scaling user guide, "Configure an Auto Scaling group to use instance
        weights".
        """
        return bool(self._weights)

    @property
    def largest_weight(self) -> int:
        """The units of its largest instance: of a possible one, or of one that is there."""
        return max((*self._weights, *(member.weight for member in self.members)), default=1)

    @property
    def overage(self) -> int:
        """The units that it has beyond the desired ones, because instances are whole."""
        if not self.weighted:
            return 0
        return max(sum(each.weight for each in self.members if each.counts) - self.desired, 0)

    @property
    def instances(self) -> int:
        """How many instances the desired capacity is.

        Those that are there where units are counted; where there are none, so many of the largest
        weight.
        """
        if not self.weighted:
            return self.desired
        standing = sum(member.counts for member in self.members)
        return standing or -(-self.desired // self.largest_weight)

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
    def _weights(self) -> list[int]:
        """Of the overrides that have one. AWS shows a weight as text."""
        return [int(each) for over in self._overrides if (each := over.get("WeightedCapacity"))]

    @property
    def _overrides(self) -> list[dict[str, Any]]:
        mixed: Mapping[str, Any] = self.mixed or {}
        return list((mixed.get("LaunchTemplate") or {}).get("Overrides") or [])
