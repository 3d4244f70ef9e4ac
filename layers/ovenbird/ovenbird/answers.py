"""What a step answers to the state machine: wait (for which doorbell), or done.

A failure is no answer: the step raises one of :mod:`ovenbird.errors` and the machine catches it.
"""

from __future__ import annotations

from typing import Any, Literal

Answer = dict[str, Any]
Sweep = Literal["soon", "late"]


def wait(doorbell: str, rings: int, reason: str, *, sweep: Sweep = "late", **facts: Any) -> Answer:
    """Come back when the doorbell rings, or when the sweep is due.

    Args:
        doorbell: The id of the thing that is waited for: ``ami-…``, ``i-…``, a command or refresh
            id, or ``queue-<rollout>``.
        rings: Its counter, read *before* the thing itself was looked at; the wait state stores its
            task token only while the counter is still that.
        sweep: ``soon`` for what AWS has no event for (seconds), ``late`` for the rest (minutes).
        facts: What the step wants to be told again when it comes back; small, JSON.
    """
    return {
        "next": "wait",
        "doorbell": doorbell,
        "rings": str(rings),
        "sweep": sweep,
        "reason": reason,
        **facts,
    }


def done(reason: str, **facts: Any) -> Answer:
    """The step has reached its goal."""
    return {"next": "done", "reason": reason, **facts}
