"""The sizes of a group, and what AWS says when they do not fit."""

from __future__ import annotations

from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.errors import AwsError


def check(minimum: int, maximum: int, desired: int) -> None:
    """Refuse sizes that contradict each other."""
    if minimum > maximum:
        raise AwsError("ValidationError", "Max bound, must be greater than or equal to min bound")
    if not minimum <= desired <= maximum:
        raise AwsError(
            "ValidationError",
            f"Desired capacity:{desired} must be between the specified min size:{minimum} and max "
            f"size:{maximum}",
        )


def set_desired(group: Group, desired: int) -> None:
    """Set the desired capacity (SetDesiredCapacity)."""
    if desired > group.maximum:
        raise AwsError(
            "ValidationError",
            f"New SetDesiredCapacity value {desired} is above max value {group.maximum} for the "
            "AutoScalingGroup.",
        )
    if desired < group.minimum:
        raise AwsError(
            "ValidationError",
            f"New SetDesiredCapacity value {desired} is below min value {group.minimum} for the "
            "AutoScalingGroup.",
        )
    group.desired = desired


def decrement(group: Group, count: int) -> None:
    """Lower the desired capacity for instances that leave without a replacement."""
    if group.desired - count < group.minimum:
        raise AwsError(
            "ValidationError",
            f"Currently, desiredSize equals minSize ({group.minimum}). Terminating instance "
            "without replacement will violate group's min size constraint. Either set "
            "shouldDecrementDesiredCapacity flag to false or lower group's min size.",
        )
    group.desired -= count
