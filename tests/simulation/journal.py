"""What happened, for people: faults, acts, calls, states and events, with virtual times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.stories.asl.execution import Execution
from tests.stories.calls import HandlerCall

_LONGEST = 160


class Journal:
    """Lines with times; ``full`` keeps calls and events too, which costs time."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self._lines: list[tuple[datetime, str]] = []

    def note(self, at: datetime, text: str) -> None:
        self._lines.append((at, text))

    def called(self, call: HandlerCall, failure: str = "", message: str = "") -> None:
        """A call has been answered, or not."""
        if not self.full:
            return
        if call.service == "lambda":
            if failure:
                self.note(call.at, f"    {call.function} failed: {message[:600]}")
            return
        error = f" ✗ {message or failure}" if failure else ""
        who = f"{call.function}#{call.invocation}" if call.invocation else call.function
        self.note(call.at, f"    {who} {call.operation} {_short(call.params)}{error}")

    def event(self, at: datetime, event: dict[str, Any], delays: Iterable[Any]) -> None:
        """An event is on the bus, to be delivered after these delays (none: it is lost)."""
        if self.full:
            late = ", ".join(str(delay) for delay in list(delays)[:5]) or "never"
            text = f"  event {event['detail-type']} {_short(event['detail'])} → {late}"
            self.note(at, text)

    def text(self, executions: Iterable[Execution] = ()) -> str:
        """Everything in the order of its time; the states of the executions among it."""
        lines = list(self._lines)
        for execution in executions:
            lines += [
                (event.at, f"  [{execution.name}] {event.kind} {event.state}")
                for event in execution.history
                if event.kind.endswith(("StateEntered", "Failed", "TimedOut", "Aborted"))
                or event.kind.startswith("Execution")
            ]
        lines.sort(key=lambda line: line[0])  # stable: as they came, where the time is the same
        return "\n".join(
            f"{at:%d %H:%M:%S}.{at.microsecond // 1000:03d} {text}" for at, text in lines
        )


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, separators=(",", ":"))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
