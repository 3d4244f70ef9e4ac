"""A world that stands still: what a function says and would do is heard, and nothing is done.

Time does not pass, and the first call that would change anything ends the invocation. What came
before it, and everything that was written to the log, is judged.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

from ovenbird import errors
from ovenbird.core.quotes import ODD
from ovenbird.entry import logger
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed
from tests.stories import dynamodb
from tests.stories import world as worlds
from tests.stories.asl.failures import StateFailed
from tests.stories.calls import HandlerCall
from tests.stories.world import World

NAMES = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.OvenbirdError)
}
PAYLOAD = 256 * 1024
LONGEST_SENTENCE = 1200
FOREIGN_TEXT = 4096
OUR_OWN = 1500  # of a log line: its keys, a time, a step's name
SECRET = "a task token that nobody may see"


@dataclass
class Outcome:
    """What came of an invocation. ``change`` is the first call that would change anything."""

    failure: str = ""
    message: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    change: HandlerCall | None = None
    log: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.failure)

    @property
    def ignored(self) -> bool:
        return bool(self.answer.get("ignored"))

    def __str__(self) -> str:
        change = self.change and f"{self.change.operation} {str(self.change.params)[:300]}"
        return f"{self.failure} {self.message[:300]} {str(self.answer)[:300]} {change}"


@dataclass
class Witness:
    """Asks the functions of a world and judges what each of them says."""

    world: World

    def ask(self, function: str, event: Any) -> Outcome:
        """Invoke a function by hand, and find nothing wrong with how it takes it."""
        outcome, log = Outcome(), io.StringIO()
        (handler,) = logger.handlers
        before = len(self.world.calls)
        with (
            mock.patch.object(handler, "stream", log),
            contextlib.redirect_stdout(log),
            contextlib.redirect_stderr(log),
            mock.patch.object(self.world, "interference", _stopping(outcome)),
        ):
            try:
                outcome.answer = self.world.ask(function, event)
            except StateFailed as failed:
                if outcome.change is None:
                    outcome.failure = failed.error
                    outcome.message = json.loads(failed.cause)["errorMessage"]
        outcome.log = log.getvalue()
        del self.world.calls[before:], self.world.lambdas.invocations[:]
        _judge(outcome)
        return outcome


@contextlib.contextmanager
def standing_still(world: World) -> Iterator[Witness]:
    """The world from now on, with a secret in its ledger that must not get out."""
    with mock.patch.object(worlds, "LATENCY", timedelta(0)):
        yield Witness(world)


def _stopping(outcome: Outcome) -> Callable[[HandlerCall, Callable[[], Any]], Any]:
    def interfere(call: HandlerCall, go: Callable[[], Any]) -> Any:
        accepted = _accepted(call)
        if accepted is not None:
            return accepted
        if _changes(call) and _condition_holds(call):
            outcome.change = call
            raise Killed(f"{call.operation} would change something")
        return go()

    return interfere


def _changes(call: HandlerCall) -> bool:
    if call.only_looks:
        return False
    # A doorbell only counts; what follows from it is the change.
    key: str = call.params.get("Key", {}).get("pk", {}).get("S", "")
    return not key.startswith("doorbell#")


def _condition_holds(call: HandlerCall) -> bool:
    """Whether the call would be carried out; a write whose condition fails changes nothing.

    DynamoDB itself is asked: it is given the write, which is taken back.
    """
    if call.operation != "UpdateItem" or "ConditionExpression" not in call.params:
        return True
    where = {name: call.params[name] for name in ("TableName", "Key")}
    before = dynamodb.call("GetItem", where).get("Item")
    try:
        dynamodb.call("UpdateItem", call.params)
    except AwsError as error:
        return error.code != "ConditionalCheckFailedException"
    if before is None:
        dynamodb.call("DeleteItem", where)
    else:
        dynamodb.call("PutItem", {"TableName": where["TableName"], "Item": before})
    return True


def _accepted(call: HandlerCall) -> dict[str, Any] | None:
    """The answer to what is written of a request when it is accepted; nothing is written here."""
    if call.operation != "UpdateItem":
        return None
    key: str = call.params["Key"]["pk"]["S"]
    if key.startswith("order#"):
        return {"Attributes": {"number": {"N": "1"}}}
    if key.startswith("rollout#") and "#asked" in call.params["UpdateExpression"]:
        values = call.params["ExpressionAttributeValues"]
        return {"Attributes": {name.removeprefix(":"): value for name, value in values.items()}}
    return None


def _judge(outcome: Outcome) -> None:
    if outcome.failure:
        assert outcome.failure in NAMES, f"a stranger's failure: {outcome}"
        assert outcome.message.endswith((".", "?")), outcome  # "Did you mean …?"
        assert len(outcome.message) <= LONGEST_SENTENCE, outcome
        assert not ODD.search(outcome.message), outcome
    assert len(json.dumps(outcome.answer)) < PAYLOAD // 4
    if outcome.change is not None:
        assert len(json.dumps(outcome.change.params, default=str)) < PAYLOAD
    assert SECRET not in outcome.log
    outcome.log.encode()  # nothing in it that cannot be written
    for line in outcome.log.splitlines():
        json.loads(line)
        assert len(line.encode()) <= FOREIGN_TEXT + OUR_OWN, line[:300]
