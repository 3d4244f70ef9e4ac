"""What an alarm's datapoints say about its state."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from sandbox.cloud.cloudwatch.alarm import StateValue

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

KNOWN_COMPARISONS = frozenset(_COMPARE)


def evaluate(
    points: Sequence[float | None],
    *,
    comparison: str,
    threshold: float,
    to_alarm: int,
    missing: str,
    before: StateValue,
) -> tuple[StateValue, str]:
    """The state that the datapoints of the evaluation range mean, and the reason.

    Args:
        points: The datapoints, oldest first; ``None`` where there was none.
        to_alarm: How many must breach (M of N).
        missing: TreatMissingData: ``missing``, ``breaching``, ``notBreaching`` or ``ignore``.
        before: The state so far, which ``ignore`` keeps.

    Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
    """
    seen = [point for point in points if point is not None]
    if not seen and missing == "ignore":
        return before, "No datapoints were received; the state is kept."
    if not seen and missing not in ("breaching", "notBreaching"):
        return "INSUFFICIENT_DATA", (f"Insufficient Data: {len(points)} datapoints were unknown.")
    breaching = sum(_COMPARE[comparison](point, threshold) for point in seen)
    if missing == "breaching":
        breaching += len(points) - len(seen)
    shown = ", ".join(str(point) for point in seen)
    words = comparison.removesuffix("Threshold").removesuffix("To")
    if breaching >= to_alarm:
        return "ALARM", (
            f"Threshold Crossed: {breaching} out of the last {len(points)} datapoints [{shown}] "
            f"was {words} the threshold ({threshold}) "
            f"(minimum {to_alarm} datapoint for OK -> ALARM transition)."
        )
    return "OK", (
        f"Threshold Crossed: {len(points) - breaching} out of the last {len(points)} datapoints "
        f"[{shown}] was not {words} the threshold ({threshold}) "
        f"(minimum 1 datapoint for ALARM -> OK transition)."
    )
