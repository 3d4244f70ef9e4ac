"""Stories, told with a pencil in hand: what each function and machine asks of AWS.

What is asked is written down before the call has its effect, so that tags are those that IAM sees.
Beside the calls there is what running itself asks: logs, traces, the failure destination.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock

from ovenbird.aws import clients
from ovenbird.settings import settings
from tests.stories import fleets
from tests.stories.asl.execution import Execution
from tests.stories.delivery import Delivery
from tests.stories.intrinsics import arn
from tests.stories.lambdas import Lambdas
from tests.stories.template import Function
from tests.stories.world import World
from tests.template.deployed import functions, resources
from tests.template.permissions.asks import Ask, asks
from tests.template.permissions.roles import resolver
from tests.template.permissions.stories import STORIES

OTHER = "api"  # the fleet beside the one that a story is about
TRACING = (
    "xray:GetSamplingRules",
    "xray:GetSamplingStatisticSummaries",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
# Source: Step Functions developer guide, Logging to CloudWatch Logs.
LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)


@dataclass(frozen=True)
class Recorded:
    """Something that was asked in the name of a role; ``owner`` is whose role, by logical id.

    ``fleet`` is the one that the function or machine worked for, empty where it was all of them.
    """

    owner: str
    ask: Ask
    fleet: str = ""


@cache
def recorded() -> tuple[Recorded, ...]:
    """What all the stories together ask, each thing once; a second fleet lives in each of them."""
    settings.cache_clear()
    found: dict[Recorded, None] = {}

    def note(owner: str, ask: Ask, fleet: str) -> None:
        found.setdefault(Recorded(owner, ask, fleet))

    with _listening(note), _a_second_fleet():
        for story in STORIES:
            story()
    settings.cache_clear()
    clients.reset()
    return tuple(found)


@dataclass(frozen=True)
class _Overheard:
    """A machine's surroundings, and somebody who writes down what it asks them."""

    world: World
    note: Callable[[Ask], object]

    def now(self) -> datetime:
        return self.world.now()

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        self.world.after(delay, action)

    def invoke(self, function_arn: str, payload: Any) -> Any:
        self.note(Ask("lambda:InvokeFunction", function_arn))
        return self.world.invoke(function_arn, payload)

    def integrate(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        for ask in asks(self.world.cloud, service, operation, arguments):
            self.note(ask)
        return self.world.integrate(service, operation, arguments)

    def tell(self, kind: str, detail: dict[str, Any], resource: str) -> None:
        self.world.tell(kind, detail, resource)


@contextmanager
def _a_second_fleet() -> Iterator[None]:
    """Whoever makes the fleet ``web`` gets another one beside it."""

    def make(world: World, **options: Any) -> fleets.Fleet:
        fleet = real(world, **options)
        if fleet.name == "web":
            real(world, name=OTHER, size=1, addresses=1)
        return fleet

    real = fleets.make
    with mock.patch.object(fleets, "make", make):
        yield


def _fleet_of(event: Any) -> str:
    """Which fleet a function is invoked for; a group of these stories bears its fleet's name."""
    if not isinstance(event, dict):
        return ""
    return str(event.get("fleet") or event.get("detail", {}).get("AutoScalingGroupName", ""))


@contextmanager
def _listening(note: Callable[[str, Ask, str], object]) -> Iterator[None]:
    """Every story that is told in this block is written down."""

    def call(world: World, service: str, operation: str, params: dict[str, Any]) -> Any:
        running = world.lambdas.running[-1]
        for ask in asks(world.cloud, service, operation, params):
            note(functions()[running.function], ask, _fleet_of(running.event))
        return real_call(world, service, operation, params)

    def run(lambdas: Lambdas, function: Function, payload: Any) -> Any:
        for ask in _running(function.name):
            note(function.name, ask, "")
        return real_run(lambdas, function, payload)

    def invoke_later(delivery: Delivery, arn: str, payload: Any, *, attempt: int = 0) -> None:
        owner = delivery.deployment.functions[arn].name
        for ask in _failing(owner):
            note(owner, ask, "")
        real_invoke_later(delivery, arn, payload, attempt=attempt)

    def start_by_rule(world: World, machine_arn: str, text: str) -> None:
        note(_starter(machine_arn), Ask("states:StartExecution", machine_arn), "")
        real_start(world, machine_arn, text)

    def begin(execution: Execution) -> None:
        owner = _machine(execution.machine_arn)
        for action in (*TRACING, *LOG_DELIVERY):
            note(owner, Ask(action, also=True), "")
        assert isinstance(execution.world, World)
        fleet = _fleet_of(json.loads(execution.text))

        def overhear(ask: Ask) -> None:
            note(owner, ask, fleet)

        execution.world = _Overheard(execution.world, overhear)
        real_begin(execution)

    real_call, real_start = World.call, World._start_by_rule
    real_run, real_invoke_later = Lambdas.invoke, Delivery.invoke_later
    real_begin = Execution.begin
    with ExitStack() as stack:
        for owner, name, listening in (
            (World, "call", call),
            (World, "_start_by_rule", start_by_rule),
            (Lambdas, "invoke", run),
            (Delivery, "invoke_later", invoke_later),
            (Execution, "begin", begin),
        ):
            stack.enter_context(mock.patch.object(owner, name, listening))
        yield


def _running(function: str) -> Iterator[Ask]:
    """What the Lambda service does in the function's name: its log and its traces."""
    group = resources("AWS::Lambda::Function")[function]["LoggingConfig"]["LogGroup"]
    name = resolver().resolve(group)
    stream = arn("logs", f"log-group:{name}:log-stream:2026/01/05/{function}")
    yield Ask("logs:CreateLogStream", stream, also=True)
    yield Ask("logs:PutLogEvents", stream, also=True)
    yield from (Ask(action, also=True) for action in TRACING)


def _failing(function: str) -> Iterator[Ask]:
    """Where the Lambda service puts an event that the function failed on."""
    for asynchronous in resources("AWS::Lambda::EventInvokeConfig").values():
        if asynchronous["FunctionName"] == {"Ref": function}:
            queue = asynchronous["DestinationConfig"]["OnFailure"]["Destination"]
            yield Ask("sqs:SendMessage", resolver().resolve(queue), also=True)


def _machine(machine_arn: str) -> str:
    machines = resources("AWS::StepFunctions::StateMachine")
    return next(name for name in machines if resolver().resolve({"Ref": name}) == machine_arn)


def _starter(machine_arn: str) -> str:
    """Whose role EventBridge uses to start a machine."""
    (role,) = {
        target["RoleArn"]["Fn::GetAtt"][0]
        for rule in resources("AWS::Events::Rule").values()
        for target in rule["Targets"]
        if target["Arn"] == {"Ref": _machine(machine_arn)}
    }
    return str(role).removesuffix("Role")
