"""The owner's alarm of a fleet; nothing measures it, so its state is what is set."""

from __future__ import annotations

from tests.stories.world import World

NAME = "web-5xx"


def alarm(world: World, state: str = "OK") -> None:
    """Make it."""
    world.operator(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName=NAME,
        Namespace="Acme",
        MetricName="Errors",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=5,
        Period=60,
        EvaluationPeriods=1,
        Statistic="Sum",
    )
    set_alarm(world, state)


def set_alarm(world: World, state: str) -> None:
    world.operator(
        "cloudwatch",
        "SetAlarmState",
        AlarmName=NAME,
        StateValue=state,
        StateReason="the story says so",
    )
