"""What Auto Scaling asks of the other services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from sandbox.cloud.elbv2.target import Health
from sandbox.cloud.kernel import Operation


class Instances(Protocol):
    """EC2: instances and launch templates."""

    def operations(self) -> dict[str, Operation]: ...

    def launch(
        self,
        *,
        template: dict[str, Any] | None,
        overrides: dict[str, Any],
        subnet_id: str | None,
        tags: dict[str, str],
        launched_by: str,
    ) -> str: ...

    def terminate(self, instance_id: str) -> None: ...

    def state(self, instance_id: str) -> str: ...

    def reason(self, instance_id: str) -> str: ...

    def resolve_template(self, spec: dict[str, Any]) -> dict[str, Any]: ...

    def image_id_is_parameter(self, spec: dict[str, Any]) -> bool: ...

    def on_state(self, listener: Callable[[str, str], None]) -> None: ...


class Targets(Protocol):
    """Elastic Load Balancing: an instance in a target group."""

    def register(self, arn: str, instance_id: str, port: int | None = None) -> None: ...

    def deregister(self, arn: str, instance_id: str, port: int | None = None) -> None: ...

    def health(self, arn: str, instance_id: str) -> Health | None: ...

    def on_change(self, listener: Callable[[str], None]) -> None: ...


class Alarms(Protocol):
    """CloudWatch: the states of alarms."""

    def states(self, names: Iterable[str]) -> Mapping[str, str]: ...

    def on_change(self, listener: Callable[[str, Any], None]) -> None: ...
