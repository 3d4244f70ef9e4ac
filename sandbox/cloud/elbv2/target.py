"""A target of a target group and its health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_DESCRIPTIONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.InvalidState": "Target is in the stopped state",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
}


@dataclass(frozen=True)
class Health:
    """A target's state and, unless it is healthy, the reason for it."""

    state: str
    reason: str = ""

    def describe(self) -> dict[str, Any]:
        """The health as DescribeTargetHealth shows it."""
        if not self.reason:
            return {"State": self.state}
        return {
            "State": self.state,
            "Reason": self.reason,
            "Description": _DESCRIPTIONS[self.reason],
        }


HEALTHY = Health("healthy")
REGISTERING = Health("initial", "Elb.RegistrationInProgress")
CHECKING = Health("initial", "Elb.InitialHealthChecking")
FAILED = Health("unhealthy", "Target.FailedHealthChecks")
NOT_IN_USE = Health("unused", "Target.NotInUse")
STOPPED = Health("unused", "Target.InvalidState")
DRAINING = Health("draining", "Target.DeregistrationInProgress")


@dataclass
class Target:
    """An instance and port that is registered with a target group."""

    instance_id: str
    port: int
    health: Health = REGISTERING
    passed: int = 0
    failed: int = 0

    def judge(self, ok: bool, *, to_healthy: int, to_unhealthy: int) -> None:
        """Take one health check's result into account.

        A new target is healthy after its first success, whatever the threshold; from then on the
        thresholds count. Source: Application Load Balancers, "Health checks for Application Load
        Balancer target groups".
        """
        self.passed = self.passed + 1 if ok else 0
        self.failed = 0 if ok else self.failed + 1
        fresh = self.health.state in ("initial", "unused")
        if ok and (fresh or self.passed >= to_healthy):
            self.health = HEALTHY
        elif self.failed >= to_unhealthy:
            self.health = FAILED
        elif fresh:
            self.health = CHECKING
