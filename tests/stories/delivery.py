"""EventBridge: events to the rules' targets, late as on AWS, and as badly as a story wants.

Delivery to a function is an asynchronous invocation: Lambda tries again after one and two minutes,
and then the event goes to the function's failure destination (``dead``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from ministack.services import eventbridge

from tests.stories.asl.failures import StateFailed
from tests.stories.template import Deployment, Target

Event = dict[str, Any]
BUSY = timedelta(seconds=1)
PROMPT = timedelta(milliseconds=300)
# AWS says nothing of how soon; late is less kind, because what was read before is believed longer.
LATER = {"Parameter Store Change": timedelta(seconds=2)}
RETRIES_AFTER = (timedelta(minutes=1), timedelta(minutes=2))


@dataclass
class Delivery:
    """Matches events against the deployed rules and brings them to their targets."""

    deployment: Deployment
    after: Callable[[timedelta, Callable[[], None]], None]
    invoke: Callable[[str, Any], Any]
    start: Callable[[str, str], None]  # a state machine, with its input
    busy: Callable[[], bool] = lambda: False  # whether no more functions can run beside each other
    # Beginnings of detail types, and how their events fare.
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    late: dict[str, timedelta] = field(default_factory=dict)
    delivered: list[tuple[str, str]] = field(default_factory=list)  # detail type, target
    dead: list[tuple[str, Any, str]] = field(default_factory=list)  # target, event, error
    under_way: int = 0  # deliveries and retries that are still to come

    def __post_init__(self) -> None:
        # When an event arrives, as often as it does; a story may say it for each event.
        self.delays: Callable[[Event], list[timedelta]] = self._delays

    def put(self, event: Event) -> None:
        """Bring an event to whoever wants it."""
        delays = self.delays(event)
        for rule in self.deployment.rules:
            if _matches(rule.pattern, event):
                for target in rule.targets:
                    for delay in delays:
                        self._bring(event, target, delay)

    def _delays(self, event: Event) -> list[timedelta]:
        kind: str = event["detail-type"]
        if kind.startswith(tuple(self.lost)):
            return []
        late = (late for start, late in self.late.items() if kind.startswith(start))
        delay = sum(late, LATER.get(kind, PROMPT))
        twice = kind.startswith(tuple(self.doubled))
        return [delay, delay + timedelta(seconds=20)] if twice else [delay]

    def _bring(self, event: Event, target: Target, delay: timedelta) -> None:
        payload = json.loads(target.input) if target.input else json.loads(json.dumps(event))
        for step in filter(None, target.input_path.removeprefix("$").split(".")):
            payload = payload[step]

        def bring() -> None:
            if self.busy():  # Lambda's own queue of events
                self.after(BUSY, bring)
                return
            self.under_way -= 1
            self.delivered.append((event["detail-type"], target.arn.split(":")[-1]))
            if ":stateMachine:" in target.arn:
                self.start(target.arn, json.dumps(payload))
            else:
                self.invoke_later(target.arn, payload)

        self.under_way += 1
        self.after(delay, bring)

    def invoke_later(self, arn: str, payload: Any, *, attempt: int = 0) -> None:
        """Invoke a function asynchronously: nobody hears its answer."""
        function = self.deployment.functions[arn]
        try:
            self.invoke(arn, payload)
        except StateFailed as failure:
            if attempt >= min(function.retries, len(RETRIES_AFTER)):
                self.dead.append((function.folder.name, payload, failure.error))
                return
            self.under_way += 1

            def again() -> None:
                self.under_way -= 1
                self.invoke_later(arn, payload, attempt=attempt + 1)

            self.after(RETRIES_AFTER[attempt], again)


@cache
def _is_of(pattern: str, source: str, kind: str) -> bool:
    """Whether a rule can match at all; every rule of ours names its sources in full."""
    wanted = json.loads(pattern)
    kinds = wanted["detail-type"]
    return source in wanted["source"] and (
        kind in kinds or any(not isinstance(each, str) for each in kinds)
    )


def _matches(pattern: str, event: Event) -> bool:
    """The answer of EventBridge's TestEventPattern; a wrong pattern is refused loudly."""
    if not _is_of(pattern, event["source"], event["detail-type"]):
        return False  # most rules, and much faster
    status, _, body = eventbridge._test_event_pattern(
        {"EventPattern": pattern, "Event": json.dumps(event)}
    )
    assert status == 200, body
    return bool(json.loads(body)["Result"])
