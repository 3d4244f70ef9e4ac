"""What a test can make go wrong between a caller and the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel
from sandbox.cloud.rates import Rates

# How each service says "slow down". Sources: EC2 Developer Guide, Request throttling; Auto Scaling,
# Elastic Load Balancing and CloudWatch API references, Common errors; SSM API reference.
_TOO_FAST = {"ec2": ("RequestLimitExceeded", 503), "ssm": ("ThrottlingException", 400)}
_TOO_FAST_ELSEWHERE = ("Throttling", 400)


class Killed(BaseException):
    """The caller's process died here. Not an ``Exception``: nothing in the caller may catch it."""


class LostAnswer(Exception):
    """The call had its effect, and its answer never arrived."""


class NoConnection(Exception):
    """The call never arrived."""


@dataclass
class _Fault:
    operation: str
    nth: int
    times: int
    before: Callable[[str], None] | None = None  # is told the service
    after: Callable[[], None] | None = None
    seen: int = 0

    def strikes(self, operation: str) -> bool:
        if self.operation not in ("*", operation):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class Faults:
    """Faults by operation; ``nth`` counts that operation's calls from now on, beginning with 1.

    The operation ``*`` means every call of every service.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._faults: list[_Fault] = []
        self._rates: Rates | None = None

    def fail(
        self,
        operation: str,
        code: str,
        message: str = "Scripted by the test",
        *,
        status: int = 400,
        nth: int = 1,
        times: int = 1,
    ) -> None:
        """Answer an error instead of doing anything."""

        def refuse(_service: str) -> None:
            raise AwsError(code, message, status)

        self._faults.append(_Fault(operation, nth, times, before=refuse))

    def throttle(self, operation: str, *, nth: int = 1, times: int = 1) -> None:
        """Refuse calls with the service's own "slow down"."""
        self._faults.append(_Fault(operation, nth, times, before=_refuse_as_too_fast))

    def limit_rates(self, scale: float = 1.0) -> None:
        """Switch EC2's documented token buckets on; ``scale`` multiplies their size and refill."""
        self._rates = Rates(self._kernel, scale)

    def lose_answer(self, operation: str, nth: int = 1, times: int = 1) -> None:
        """Let the call have its effect, then break the connection."""

        def lose() -> None:
            raise LostAnswer(operation)

        self._faults.append(_Fault(operation, nth, times, after=lose))

    def kill(self, when: Literal["before", "after"], operation: str, nth: int = 1) -> None:
        """Kill the caller's process just before or just after a call."""

        def die(_service: str = "") -> None:
            raise Killed(f"{when} {operation}")

        if when == "before":
            self._faults.append(_Fault(operation, nth, 1, before=die))
        else:
            self._faults.append(_Fault(operation, nth, 1, after=die))

    def clear(self) -> None:
        """Nothing goes wrong from now on."""
        self._faults.clear()
        self._rates = None

    def before(
        self, service: str, operation: str, params: dict[str, Any]
    ) -> list[Callable[[], None]]:
        """Strike before the call, or return what shall strike after it."""
        if (
            self._rates is not None
            and service == "ec2"
            and not self._rates.allows(operation, params)
        ):
            _refuse_as_too_fast(service)
        if not self._faults:
            return []
        struck = [fault for fault in self._faults if fault.strikes(operation)]
        for fault in struck:
            if fault.before is not None:
                fault.before(service)
        return [fault.after for fault in struck if fault.after is not None]


def _refuse_as_too_fast(service: str) -> None:
    code, status = _TOO_FAST.get(service, _TOO_FAST_ELSEWHERE)
    raise AwsError(code, "Request limit exceeded.", status)
