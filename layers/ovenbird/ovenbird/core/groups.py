"""An Auto Scaling group as it stands: what was observed, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TemplateVersion:
    """A launch template and a version of it, as the group writes it (``$Latest`` is possible)."""

    template_id: str
    version: str

    @property
    def is_pinned(self) -> bool:
        """Whether the version is a number; only then can AWS roll a refresh back."""
        return self.version.isdigit()


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
