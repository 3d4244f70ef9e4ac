"""The model cloud: the services of a fleet, on one clock, behind one door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from sandbox.cloud import shapes
from sandbox.cloud.autoscaling import AutoScaling
from sandbox.cloud.autoscaling.feeds import Feeds
from sandbox.cloud.clock import Clock, VirtualClock
from sandbox.cloud.cloudwatch import CloudWatch
from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.elb import Elb
from sandbox.cloud.elbv2 import Elbv2
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Faults, Killed
from sandbox.cloud.kernel import Call, Durations, Journal, Kernel, Operation
from sandbox.cloud.machines import Machines
from sandbox.cloud.ssm import Ssm


@runtime_checkable
class Grounded(Protocol):
    """Machines that want to know the kernel: its timeline, and the lock for their callbacks."""

    def stand_on(self, kernel: Kernel) -> None: ...


class Cloud:
    """The services and the only door to them.

    ``watchers`` are told every call after it had its effect: that is where invariants are checked.
    ``checks_answers`` may be switched off where speed matters more than the model's own mistakes.
    """

    def __init__(
        self,
        clock: Clock,
        machines: Machines,
        *,
        seed: int = 0,
        speed: float = 1.0,
        account: str = "000000000000",
        region: str = "us-east-1",
        durations: Durations | None = None,
    ) -> None:
        self.kernel = Kernel(
            clock, seed=seed, speed=speed, account=account, region=region, durations=durations
        )
        if isinstance(machines, Grounded):
            machines.stand_on(self.kernel)
        self.machines = machines
        self.faults = Faults(self.kernel)
        self.journal = Journal()
        self.watchers: list[Callable[[Call], None]] = []
        self.checks_answers = True
        self.ec2 = Ec2(self.kernel, machines)
        self.ssm = Ssm(self.kernel, self.ec2, machines)
        self.ec2.parameter = self.ssm.parameters.value
        self.elbv2 = Elbv2(self.kernel, self.ec2, machines)
        self.cloudwatch = CloudWatch(self.kernel)
        self.cloudwatch.measure("AWS/ApplicationELB", self.elbv2.metric)
        self.elb = Elb(self.kernel, self.ec2, machines)
        feeds = Feeds(self.elbv2, self.elb)
        self.autoscaling = AutoScaling(self.kernel, self.ec2, feeds, self.cloudwatch)
        self._operations: dict[str, dict[str, Operation]] = {
            "ec2": self.ec2.operations(),
            "ssm": self.ssm.operations(),
            "autoscaling": self.autoscaling.operations(),
            "elbv2": self.elbv2.operations(),
            "elb": self.elb.operations(),
            "cloudwatch": self.cloudwatch.operations(),
        }

    @property
    def services(self) -> tuple[str, ...]:
        """The services that the cloud knows, by boto3's names."""
        return tuple(self._operations)

    @property
    def request_id(self) -> str:
        """The id of the call that was answered last."""
        return f"00000000-0000-4000-8000-{len(self.journal.calls):012d}"

    def knows(self, service: str, operation: str) -> bool:
        """Whether the model has this operation."""
        return operation in self._operations.get(service, {})

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do what the service does and return a copy of its answer, shaped as boto3 shows it.

        Raises:
            AwsError: The service refused.
            LostAnswer, Killed: A test asked for it.
        """
        with self.kernel.lock:
            self.kernel.timeline.run_due()
            call = Call(self.kernel.now(), service, operation, params)
            strike_after = []
            try:
                if not self.knows(service, operation):
                    raise unknown(service, operation)
                strike_after = self.faults.before(service, operation, params)
                call.params = shapes.params(service, operation, params)
                answer = self._do(service, operation, call.params)
            except AwsError as error:
                call.error = error.code
                raise
            except Killed:
                call.error = "Killed"
                raise
            finally:
                self.journal.calls.append(call)
                for watch in self.watchers:
                    watch(call)
            for strike in strike_after:
                strike()
            return answer

    def look(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer to a describe call, unrecorded, without faults: for whoever only watches."""
        with self.kernel.lock:
            return shapes.answer(service, operation, self._operations[service][operation](params))

    def _do(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if params.pop("DryRun", False):
            raise AwsError(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
            )
        answer = self._operations[service][operation](params)
        return shapes.answer(service, operation, answer) if self.checks_answers else answer

    def tick(self) -> int:
        """Run what is due on the clock; return how many actions ran (the sandbox's heartbeat)."""
        with self.kernel.lock:
            return self.kernel.timeline.run_due()

    def advance(self, limit: datetime) -> bool:
        """Move a virtual clock to the next planned action and run it.

        Returns whether there was one up to ``limit``; if not, the clock stands at the limit.
        """
        clock = self.kernel.clock
        assert isinstance(clock, VirtualClock), "only a virtual clock can be advanced"
        with self.kernel.lock:
            due = self.kernel.timeline.next_due
            if due is None or due > limit:
                clock.advance_to(limit)
                return False
            clock.advance_to(due)
            self.kernel.timeline.run_due()
            return True

    def run_for(self, duration: timedelta) -> None:
        """Let cloud time pass on a virtual clock."""
        limit = self.kernel.now() + self.kernel.scaled(duration)
        while self.advance(limit):
            pass

    def run_until(self, predicate: Callable[[], bool], limit: timedelta) -> None:
        """Let cloud time pass until the predicate holds.

        Raises:
            TimeoutError: It did not hold within the limit.
        """
        end = self.kernel.now() + self.kernel.scaled(limit)
        while not predicate():
            if not self.advance(end) and not predicate():
                raise TimeoutError(f"not within {limit} of cloud time")

    def sleep(self, seconds: float) -> None:
        """Stand in for ``time.sleep`` on a virtual clock."""
        self.run_for(timedelta(seconds=seconds) * self.kernel.timeline.speed)


def unknown(service: str, operation: str) -> AwsError:
    """The service's answer to an operation that it does not have."""
    known = shapes.operation(service, operation) is not None
    reason = "the sandbox does not know this call" if known else "AWS has no such call"
    message = f"The action {operation} is not valid for {service}: {reason}."
    if service == "ssm":
        return AwsError("UnknownOperationException", message)
    return AwsError("InvalidAction", message)
