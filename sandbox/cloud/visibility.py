"""Eventual consistency: what was just made cannot be seen yet.

Source: EC2 Developer Guide, Ensuring consistency (eventual consistency).
"""

from __future__ import annotations

from datetime import datetime

from sandbox.cloud.kernel import Kernel


class Visibility:
    """When each new resource can be seen."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._hidden_until: dict[str, datetime] = {}

    def born(self, resource_id: str) -> None:
        if self._kernel.visible_after:
            delay = self._kernel.scaled(self._kernel.visible_after)
            self._hidden_until[resource_id] = self._kernel.now() + delay

    def sees(self, resource_id: str) -> bool:
        until = self._hidden_until.get(resource_id)
        if until is None:
            return True
        if self._kernel.now() < until:
            return False
        del self._hidden_until[resource_id]
        return True
