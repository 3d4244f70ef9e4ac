"""The calls that can be watched and disturbed: of handlers, of state machines, of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.kernel import Call

Go = Callable[[], Any]


@dataclass
class HandlerCall(Call):
    """A call that a handler made; ``function`` is its folder, ``invocation`` its number.

    A state machine's own call has the machine's name there, and the invocation 0. Its invocation of
    a function is a call of the service ``lambda``; the function is the one that is invoked.
    """

    function: str = ""
    invocation: int = 0

    @property
    def only_looks(self) -> bool:
        """Whether it changes nothing: by its name, or because it is only rehearsed."""
        rehearsed = bool(self.params.get("DryRun"))
        return rehearsed or self.operation.startswith(("Describe", "Get", "List"))


Interference = Callable[[HandlerCall, Go], Any]


def undisturbed(_call: HandlerCall, go: Go) -> Any:
    """The interference that does not interfere.

    Others raise instead of going or after it (AwsError, LostAnswer, NoConnection, Killed,
    TimedOut), or answer something else.
    """
    return go()
