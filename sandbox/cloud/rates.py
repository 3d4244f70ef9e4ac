"""EC2's request rates: token buckets per account and region.

Source: EC2 Developer Guide, Request throttling for the Amazon EC2 API (November 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.cloud.kernel import Kernel


@dataclass(frozen=True)
class _Size:
    most: float
    refill: float  # per second


_READ = _Size(100, 20)
_READ_UNFILTERED = _Size(50, 10)
_WRITE = _Size(50, 5)
_NAMED = {
    "RunInstances": _Size(5, 2),
    "StartInstances": _Size(5, 2),
    "TerminateInstances": _Size(100, 5),
    "CopyImage": _Size(100, 1),
    "CreateTags": _Size(100, 10),
    "CreateLaunchTemplateVersion": _Size(100, 5),
    "ModifyLaunchTemplate": _Size(100, 5),
    "DeregisterImage": _Size(100, 5),
    "ModifyImageAttribute": _Size(100, 5),
    "CreateSnapshot": _Size(100, 5),
    "DeleteSnapshot": _Size(100, 5),
}
_READS = ("Describe", "Get", "List", "Search")


class Rates:
    """The buckets; an operation without one of its own shares its category's."""

    def __init__(self, kernel: Kernel, scale: float) -> None:
        self._kernel, self._scale = kernel, scale
        self._left: dict[str, tuple[float, datetime]] = {}

    def allows(self, operation: str, params: dict[str, Any]) -> bool:
        """Take a token, or say that there is none."""
        name, size = _bucket(operation, params)
        now = self._kernel.now()
        left, at = self._left.get(name, (size.most * self._scale, now))
        passed = (now - at).total_seconds() * self._kernel.timeline.speed
        left = min(size.most * self._scale, left + passed * size.refill * self._scale)
        self._left[name] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def _bucket(operation: str, params: dict[str, Any]) -> tuple[str, _Size]:
    if operation in _NAMED:
        return operation, _NAMED[operation]
    if not operation.startswith(_READS):
        return "write", _WRITE
    if params:  # ids, filters or a page size
        return "read", _READ
    return "read everything", _READ_UNFILTERED
