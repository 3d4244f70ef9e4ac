"""Where a fault can strike: a call, and who makes it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.stories.calls import HandlerCall
from tests.stories.world import STATE_MACHINE

# These run inside a rollout's execution; the others are called by events and by people.
STEPS = frozenset(
    {
        "plan_rollout",
        "bake_image",
        "publish_template",
        "roll_group",
        "move_address",
        "settle_rollout",
        "undo_rollout",
    }
)


@dataclass(frozen=True, order=True)
class Place:
    """A function (or the state machine), and a call that it makes.

    The call ``lambda Invoke`` of a function is the state machine's invocation of it.
    """

    function: str
    service: str
    operation: str

    def __str__(self) -> str:
        return f"{self.function} {self.service}:{self.operation}"

    @property
    def is_handlers(self) -> bool:
        """Whether a handler makes the call; else the state machine does."""
        return self.service != "lambda" and self.function != STATE_MACHINE


def of(call: HandlerCall) -> Place:
    """Where the call is made."""
    return Place(call.function, call.service, call.operation)
