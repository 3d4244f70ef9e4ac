"""Which errors a Retry or Catch matches, and how long a retry waits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.stories.asl.failures import StateFailed

_NEVER_BY_ALL = {"States.Runtime", "States.DataLimitExceeded"}


def matches(names: Sequence[str], failure: StateFailed) -> bool:
    """Whether ``ErrorEquals`` names the failure.

    ``States.ALL`` does not match an error of the definition itself; ``States.TaskFailed`` matches
    everything but a time-out. Source: Step Functions developer guide, Handling errors.
    """
    if failure.error in names and failure.error != "States.Runtime":
        return True
    if failure.error in _NEVER_BY_ALL:
        return False
    return "States.ALL" in names or (
        "States.TaskFailed" in names and failure.error != "States.Timeout"
    )


def delay(
    retriers: Sequence[dict[str, Any]],
    failure: StateFailed,
    tries: dict[int, int],
    source: random.Random,
) -> timedelta | None:
    """How long to wait before the next try, or ``None`` when there is none.

    ``tries`` counts, per retrier, the retries made since the state was entered; it is changed.
    """
    for index, retrier in enumerate(retriers):
        if not matches(retrier["ErrorEquals"], failure):
            continue
        made = tries.get(index, 0)
        if made >= retrier.get("MaxAttempts", 3):
            return None
        tries[index] = made + 1
        seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** made
        seconds = min(seconds, retrier.get("MaxDelaySeconds", seconds))
        if retrier.get("JitterStrategy") == "FULL":
            seconds = source.uniform(0, seconds)
        return timedelta(seconds=seconds)
    return None
