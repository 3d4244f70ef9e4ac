"""A whole account in virtual time: the model cloud, the application, and what surrounds them.

The handlers, the state machines' definitions and the rules are the real ones; the clients are real
boto3 clients. The same seed and the same story give the same calls in the same order.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from ovenbird import catalogue
from ovenbird import clock as ovenbird_clock
from ovenbird.aws import clients
from sandbox.cloud import seam, shapes
from sandbox.cloud import shortcut as shortcuts
from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed, LostAnswer, NoConnection
from sandbox.cloud.imaginary import Imaginary
from sandbox.cloud.kernel import Operation
from tests.stories import dynamodb
from tests.stories.asl.definition import Definition
from tests.stories.asl.execution import Execution
from tests.stories.asl.failures import StateFailed
from tests.stories.asl.stepfunctions import StepFunctions
from tests.stories.calls import HandlerCall, Interference, undisturbed
from tests.stories.delivery import Delivery
from tests.stories.lambdas import Lambdas, TimedOut
from tests.stories.template import deployment
from tests.stories.topics import Topics

LATENCY = timedelta(milliseconds=40)  # of an AWS call
CREDENTIALS = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_EC2_METADATA_DISABLED": "true",
}
BUCKET = "acme-releases"
MOST_BESIDE = 6  # functions that events have started, while they run; each nests in the one before
STATE_MACHINE = "rollout"  # as the one who makes a call
INTEGRATIONS = {"dynamodb": "DynamoDb", "sns": "SNS"}  # as Step Functions names their errors


class _Door:
    """What the clients of all stories talk to: whichever world is present."""

    services = (
        "ec2",
        "autoscaling",
        "elbv2",
        "elb",
        "ssm",
        "cloudwatch",
        "dynamodb",
        "stepfunctions",
        "sns",
    )
    present: World | None = None

    @property
    def request_id(self) -> str:
        return self._world.cloud.request_id

    @property
    def _world(self) -> World:
        assert self.present is not None, "an AWS call outside of any story"
        return self.present

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        return self._world.call(service, operation, params)


_door = _Door()
_opened: list[Any] = []  # the session whose clients come to the door, and how


@contextlib.contextmanager
def present(seed: int = 0, *, shortcut: bool = False) -> Iterator[World]:
    """A new world for the length of the block; by the ``shortcut`` its calls cost less."""
    world = World(seed)
    attach = shortcuts.attach if shortcut else seam.attach
    with (
        mock.patch.dict("os.environ", CREDENTIALS),
        mock.patch.object(ovenbird_clock, "now", world.clock.now),
        mock.patch.object(_door, "present", world),
        seam.virtual_sleep(world.cloud),
    ):
        if _opened != [clients.session, attach]:
            clients.reset()
            _opened[:] = [clients.session, attach]
            attach(clients.session.events, _door)
        random.seed(seed)  # botocore draws its back-off from here
        catalogue.forget()  # of another world
        yield world


class World:
    """Everything; ``watchers`` are told after every call that a handler made."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = VirtualClock()
        self.machines = Imaginary()
        self.cloud = Cloud(self.clock, self.machines, seed=seed)
        self.deployment = deployment()
        self.lambdas = Lambdas(self.clock)
        self.states = StepFunctions(self, random.Random(seed))
        for arn, document in self.deployment.machines.items():
            self.states.add(arn, document)
        self.topics = Topics(self.deployment.topic)
        self.delivery = Delivery(
            self.deployment,
            self.after,
            self._run,
            self._start_by_rule,
            busy=lambda: len(self.lambdas.running) >= MOST_BESIDE,
        )
        self.cloud.kernel.bus.listeners.append(self.delivery.put)
        self.calls: list[HandlerCall] = []
        self.watchers: list[Callable[[], None]] = []
        self.kill: tuple[str, int] | None = None  # ("before" | "after", number of the call)
        self.killed = False
        self.interference: Interference = undisturbed
        self._uploads = 0
        dynamodb.empty(self.deployment.table)
        self._others: dict[str, dict[str, Operation]] = {
            "stepfunctions": self.states.operations(),
            "sns": self.topics.operations(),
        }

    # What an execution needs ---------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now()

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        self.cloud.kernel.after(delay, action)

    def invoke(self, function_arn: str, payload: Any) -> Any:
        """A state machine invokes a function; what Lambda itself refuses is named ``Lambda.…``."""
        folder = self.deployment.functions[function_arn].folder.name
        call = HandlerCall(self.now(), "lambda", "Invoke", {}, function=folder)
        try:
            return self.interference(call, lambda: self._run(function_arn, payload))
        except AwsError as error:
            raise StateFailed(f"Lambda.{error.code}", str(error)) from error
        except (LostAnswer, NoConnection) as lost:
            raise StateFailed("Lambda.SdkClientException", str(lost)) from lost

    def _run(self, function_arn: str, payload: Any) -> Any:
        return self.lambdas.invoke(self.deployment.functions[function_arn], payload)

    def integrate(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        """A call of the state machine itself; errors are named as Step Functions names them."""
        call = HandlerCall(self.now(), service, operation, arguments, function=STATE_MACHINE)
        try:
            return self.interference(call, lambda: self._answer(service, operation, arguments))
        except AwsError as error:
            name = error.code if error.code.endswith("Exception") else f"{error.code}Exception"
            raise StateFailed(f"{INTEGRATIONS[service]}.{name}", str(error)) from error
        except (LostAnswer, NoConnection) as lost:
            raise StateFailed(f"{INTEGRATIONS[service]}.SdkClientException", str(lost)) from lost

    def tell(self, kind: str, detail: dict[str, Any], resource: str) -> None:
        """An event of Step Functions itself."""
        self.cloud.kernel.bus.emit("aws.states", kind, detail, [resource])

    def _start_by_rule(self, machine_arn: str, text: str) -> None:
        self.states.start({"stateMachineArn": machine_arn, "input": text})

    # The calls of the handlers -------------------------------------------------------------

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer a handler's call: time passes, faults strike, and the watchers look."""
        assert self.lambdas.running, f"{service} {operation} was called outside of any handler"
        caller = self.lambdas.running[-1]
        if caller.dead:
            raise Killed("a dead process calls nobody")
        self.clock.sleep(LATENCY.total_seconds())
        self.cloud.tick()
        call = HandlerCall(
            self.clock.now(),
            service,
            operation,
            params,
            function=caller.function,
            invocation=caller.number,
        )
        try:
            if self.clock.now().timestamp() > caller.deadline:
                raise TimedOut
            self.calls.append(call)
            return self._disturbed(call, len(self.calls))
        except Killed:
            caller.dead = True
            raise

    def _disturbed(self, call: HandlerCall, number: int) -> dict[str, Any]:
        def go() -> Any:
            try:
                return self._answer(call.service, call.operation, call.params)
            finally:
                for watch in self.watchers:
                    watch()

        self._strike("before", number)
        try:
            answer: dict[str, Any] = self.interference(call, go)
        except (AwsError, LostAnswer, NoConnection, Killed) as error:
            call.error = error.code if isinstance(error, AwsError) else type(error).__name__
            raise
        finally:
            self._strike("after", number)
        return answer

    def _strike(self, when: str, number: int) -> None:
        if self.kill == (when, number):
            self.killed = True
            raise Killed(f"{when} call {number}")

    def _answer(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if service in self.cloud.services:
            return self.cloud.call(service, operation, params)
        strike_after = self.cloud.faults.before(service, operation, params)
        if service == "dynamodb":
            answer = dynamodb.call(operation, params)
        else:
            checked = shapes.params(service, operation, params)
            answer = self._others[service][operation](checked)
            answer = shapes.answer(service, operation, answer)
        for strike in strike_after:
            strike()
        return answer

    # What happens in the world -------------------------------------------------------------

    def run_for(self, **duration: float) -> None:
        """Let time pass: ``run_for(minutes=5)``."""
        self.cloud.run_for(timedelta(**duration))

    def run_until(self, predicate: Callable[[], bool], **limit: float) -> None:
        """Let time pass until the predicate holds, one hour at most unless told otherwise."""
        self.cloud.run_until(predicate, timedelta(**(limit or {"hours": 1})))

    def put_event(self, source: str, kind: str, detail: dict[str, Any]) -> None:
        """Put an event on the default bus."""
        self.cloud.kernel.emit(source, kind, detail)

    def upload(
        self,
        content: str,
        key: str = "web/app.tar.gz",
        *,
        days_ago: float = 0,
        late: timedelta = timedelta(),
    ) -> str:
        """Upload an artefact; returns its etag (the revision that people see).

        Its event has whole seconds, as AWS writes them, and a sequencer.

        Args:
            days_ago: How long ago it was; its event comes only now.
            late: How much later than others the event of this upload is delivered.
        """
        self._uploads += 1
        etag = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
        event = {
            "version": "0",
            "id": self.cloud.kernel.ids.uuid(),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": self.cloud.kernel.account,
            "time": (self.now() - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.cloud.kernel.region,
            "resources": [f"arn:aws:s3:::{BUCKET}"],
            "detail": {
                "version": "0",
                "bucket": {"name": BUCKET},
                "object": {
                    "key": key,
                    "size": len(content),
                    "etag": etag,
                    "version-id": f"v{self._uploads}",
                    "sequencer": f"{self._uploads:016X}",
                },
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": self.cloud.kernel.account,
                "source-ip-address": "192.0.2.1",
                "reason": "PutObject",
            },
        }
        if late:
            self.after(late, lambda: self.delivery.put(event))
        else:
            self.delivery.put(event)
        return etag

    def operator(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """A call that a person makes; no time passes."""
        return self.cloud.call(service, operation, params)

    def ask(self, function: str, payload: dict[str, Any]) -> Any:
        """Invoke a function by hand and wait for its answer (``sam remote invoke``).

        Raises:
            StateFailed: With the name of its failure.
        """
        return self.lambdas.invoke(self.deployment.function(function), payload)

    # What can be seen ----------------------------------------------------------------------

    def executions(self, machine: str) -> list[Execution]:
        """The executions of a state machine, oldest first."""
        arn = self.deployment.machine(machine)
        return [e for e in self.states.executions.values() if e.machine_arn == arn]

    @property
    def rollouts(self) -> list[Execution]:
        """The executions of the rollout's state machine, oldest first."""
        return self.executions("rollout")

    @property
    def notices(self) -> list[str]:
        """The texts of the notices sent, with their subjects."""
        return [f"{notice.subject}\n{notice.text}" for notice in self.topics.notices]

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Every item of the ledger by its key, in DynamoDB JSON."""
        return dynamodb.items(self.deployment.table)

    def parameter(self, name: str) -> str | None:
        """The value of a Parameter Store parameter."""
        try:
            answer = self.cloud.call("ssm", "GetParameter", {"Name": name})
        except AwsError:
            return None
        return str(answer["Parameter"]["Value"])

    def finish(self, **limit: float) -> Execution:
        """Let time pass until every event has arrived and no execution runs; the last rollout.

        Where nothing was started, one without a name that was never there.
        """

        def idle() -> bool:
            return not self.delivery.under_way and not self.states.busy

        self.run_for(seconds=2)  # what was put on the bus a moment ago is under way by then

        self.run_until(idle, **(limit or {"hours": 6}))
        return self.rollouts[-1] if self.rollouts else self._none()

    def _none(self) -> Execution:
        nothing = Definition("", {})
        return Execution("", "", "", nothing, "{}", self, random.Random(0), status="NEVER STARTED")

    def told(self) -> str:
        """What happened so far, for a failed story's reader."""
        lines = []
        for execution in self.rollouts:
            lines.append(f"{execution.name} {execution.status} {execution.error} {execution.cause}")
            lines.append("  " + " ".join(execution.visited))
        for invocation in self.lambdas.invocations:
            told = invocation.failure or json.dumps(invocation.answer)
            lines.append(f"{invocation.function}: {told[:300]} {invocation.message[:300]}")
        return "\n".join(lines)
