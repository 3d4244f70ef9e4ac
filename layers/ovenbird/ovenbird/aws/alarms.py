"""CloudWatch alarms: the states of those that a fleet names."""

from __future__ import annotations

from collections.abc import Sequence

from ovenbird.aws import clients, faults

NAMES_PER_CALL = 100


def states(names: Sequence[str]) -> dict[str, str]:
    """Alarm name → ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``.

    An alarm that does not exist is left out. AWS returns only metric alarms unless it is asked for
    composite ones too.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: cloudwatch:DescribeAlarms
    Source: CloudWatch API reference, DescribeAlarms, parameters AlarmNames and AlarmTypes.
    """
    found: dict[str, str] = {}
    wanted = sorted(set(names))
    for start in range(0, len(wanted), NAMES_PER_CALL):
        with faults.translated("read the states of alarms"):
            answer = clients.get("cloudwatch").describe_alarms(
                AlarmNames=wanted[start : start + NAMES_PER_CALL],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=NAMES_PER_CALL,
            )
        for alarm in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]:
            found[alarm["AlarmName"]] = alarm["StateValue"]
    return found
