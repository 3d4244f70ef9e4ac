"""What a group feeds: target groups by their ARNs, Classic Load Balancers by their names."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.cloud.autoscaling.ground import Targets
from sandbox.cloud.elbv2.target import Health


class Feeds:
    """Both kinds of balancers as one."""

    def __init__(self, elbv2: Targets, elb: Targets) -> None:
        self._elbv2, self._elb = elbv2, elb

    def register(self, arn: str, instance_id: str, port: int | None = None) -> None:
        self._of(arn).register(arn, instance_id, port)

    def deregister(self, arn: str, instance_id: str, port: int | None = None) -> None:
        self._of(arn).deregister(arn, instance_id, port)

    def health(self, arn: str, instance_id: str) -> Health | None:
        return self._of(arn).health(arn, instance_id)

    def on_change(self, listener: Callable[[str], None]) -> None:
        self._elbv2.on_change(listener)
        self._elb.on_change(listener)

    def _of(self, arn: str) -> Targets:
        return self._elbv2 if arn.startswith("arn:") else self._elb
