"""Instance refreshes: of a group without instances, which costs nothing, and of one with a few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.aws.account import Account, Belongings, code
from tests.aws.assumptions import Assumption, Report
from tests.aws.events import Watch
from tests.aws.groups import ACTIVE, PREFERENCES, Group, Template

CODES = Assumption(
    "what AWS does not start or change is refused as ValidationError",
    "docs/limits.md: The codes of refusals that the service model does not list",
)
ALARMS = Assumption(
    "no refresh starts while one of its alarms is in ALARM or INSUFFICIENT_DATA",
    "Auto Scaling user guide, Understand the default values for an instance refresh",
)
NONE_ACTIVE = Assumption(
    "without a refresh, cancel and roll back are ActiveInstanceRefreshNotFound",
    "Auto Scaling API reference, CancelInstanceRefresh and RollbackInstanceRefresh",
)
EMPTY = Assumption(
    "a refresh of an empty group succeeds at once and saves the new version",
    "docs/limits.md: What a refresh of an empty group does",
)
SHOWN = Assumption(
    "a refresh shows its configuration as it was sent",
    "docs/limits.md: How a refresh shows the desired configuration",
)
CLOCKS = Assumption(
    "Auto Scaling's clock and ours agree within seconds",
    "docs/limits.md: That the clocks of Lambda and Auto Scaling agree",
)
MAX_SIZE = Assumption(
    "MaxSize does not bound what a refresh launches ahead",
    "docs/limits.md: Whether `MaxSize` bounds",
)
IN_PROGRESS = Assumption(
    "a second refresh is refused as InstanceRefreshInProgress",
    "Auto Scaling API reference, StartInstanceRefresh",
)
LOCKED = Assumption(
    "during a refresh the group's template is locked",
    "Auto Scaling user guide, How an instance refresh works",
)
MOST = Assumption(
    "the maximum is rounded down: 3 instances at 110 % are 4 at most",
    "docs/limits.md: How the percentages are rounded",
)
LEAST = Assumption(
    "the minimum is rounded up: 3 instances at 50 % are 2 at least",
    "docs/limits.md: How the percentages are rounded",
)
ROLLBACK = Assumption(
    "a refresh that is rolled back ends RollbackSuccessful, and the group keeps its version",
    "Auto Scaling user guide, Undo changes with a rollback",
)
TWICE = Assumption(
    "rolling back a second time is IrreversibleInstanceRefresh",
    "docs/limits.md: What RollbackInstanceRefresh answers",
)
EMPTY_GROUP = (CODES, ALARMS, NONE_ACTIVE, EMPTY, SHOWN, CLOCKS)
FEW_INSTANCES = (MAX_SIZE, IN_PROGRESS, LOCKED, MOST, LEAST, ROLLBACK, TWICE)
_REFRESH = "EC2 Auto Scaling Instance Refresh "


def try_empty_group(
    account: Account, owned: Belongings, watch: Watch, template: Template, report: Report
) -> None:
    """Everything that needs no instance."""
    group = Group(account, owned, template, "empty", size=0)
    calls, named = group.calls, {"AutoScalingGroupName": group.name}
    seen = {
        "auto rollback without configuration": code(
            lambda: calls.start_instance_refresh(
                **named, Preferences={**PREFERENCES, "AutoRollback": True}
            )
        ),
        "unknown group": code(
            lambda: calls.describe_instance_refreshes(AutoScalingGroupName=f"{group.name}-not")
        ),
        "sizes": code(lambda: calls.update_auto_scaling_group(**named, MinSize=2, MaxSize=1)),
    }
    group.calls.update_auto_scaling_group(**named, LaunchTemplate=template.version("$Latest"))
    seen["auto rollback to $Latest"] = code(lambda: group.start("2"))
    group.calls.update_auto_scaling_group(**named, LaunchTemplate=template.version("1"))
    _all_refused(report, CODES, seen)
    _all_refused(report, ALARMS, _alarms(account, owned, group))
    seen = {
        "cancel": code(lambda: calls.cancel_instance_refresh(**named)),
        "roll back": code(lambda: calls.rollback_instance_refresh(**named)),
    }
    _all_refused(report, NONE_ACTIVE, seen, "ActiveInstanceRefreshNotFound")

    asked = datetime.now(UTC)
    refresh_id = group.start("2")
    watch.expect(refresh_id, f"{_REFRESH}Succeeded")
    ended = group.ended(refresh_id)
    took = ended["EndTime"] - ended["StartTime"] if "EndTime" in ended else timedelta(0)
    report.compare(
        EMPTY,
        (ended["Status"], group.version(), took < timedelta(minutes=5)),
        ("Successful", "2", True),
    )
    shown = ended.get("DesiredConfiguration", {}).get("LaunchTemplate", {})
    kept = {key: shown.get(key) for key in ("LaunchTemplateId", "Version")}
    report.compare(SHOWN, kept, template.version("2"))
    apart = (ended["StartTime"] - asked).total_seconds()
    report.judge(CLOCKS, -1 <= apart <= 60, f"began {apart:.1f} s after it was asked for")


def _alarms(account: Account, owned: Belongings, group: Group) -> dict[str, str]:
    """A new alarm on a metric that nobody writes has INSUFFICIENT_DATA, until it is set by hand."""
    cloudwatch, name = account.client("cloudwatch"), account.name
    owned.add(f"alarm {name}", lambda: cloudwatch.delete_alarms(AlarmNames=[name]))
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="OvenbirdVerify",
        MetricName="Nothing",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Tags=account.tags,
    )
    seen = {}
    for state in ("INSUFFICIENT_DATA", "ALARM"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="verify-aws")
        specification = {"AlarmSpecification": {"Alarms": [name]}}
        seen[state] = code(lambda wanted=specification: group.start("2", **wanted))  # type: ignore[misc]
    return seen


def _all_refused(
    report: Report, assumption: Assumption, seen: dict[str, str], wanted: str = "ValidationError"
) -> None:
    told = ", ".join(f"{what}: {answer}" for what, answer in seen.items())
    report.judge(assumption, set(seen.values()) == {wanted}, told)


def try_few_instances(
    account: Account, owned: Belongings, watch: Watch, template: Template, report: Report
) -> None:
    """A group of one at its MaxSize, then of three: at most four instances at a time."""
    group = Group(account, owned, template, "small", size=1)
    group.wait_for(1)
    _launch_ahead(account, watch, group, report)
    group.resize(3, 6)
    _round_most(account, watch, group, report)
    _round_least_and_go_back(account, watch, group, report)


def _launch_ahead(account: Account, watch: Watch, group: Group, report: Report) -> None:
    refresh_id = group.start("2", MinHealthyPercentage=100, MaxHealthyPercentage=200, BakeTime=10)
    kinds = ("Started Baking", "Succeeded")
    watch.expect(refresh_id, *(_REFRESH + kind for kind in kinds))
    report.compare(IN_PROGRESS, code(lambda: group.start("2")), "InstanceRefreshInProgress")
    update = {"AutoScalingGroupName": group.name, "LaunchTemplate": group.template.version("3")}
    locked = code(lambda: group.calls.update_auto_scaling_group(**update))
    report.compare(LOCKED, locked, "ValidationError")
    most = 0

    def ended() -> dict[str, Any] | None:
        nonlocal most
        most = max(most, group.there())
        seen = group.refresh(refresh_id)
        return seen if seen and seen["Status"] not in ACTIVE else None

    seen = account.until(ended, "the end of a refresh at MaxSize", minutes=70)
    report.compare(MAX_SIZE, (seen["Status"], most), ("Successful", 2))


def _round_most(account: Account, watch: Watch, group: Group, report: Report) -> None:
    refresh_id = group.start("3", MinHealthyPercentage=100, MaxHealthyPercentage=110)
    watch.expect(refresh_id, f"{_REFRESH}Succeeded")
    most = 0

    def ended() -> dict[str, Any] | None:
        nonlocal most
        most = max(most, group.there())
        seen = group.refresh(refresh_id)
        return seen if seen and seen["Status"] not in ACTIVE else None

    account.until(ended, "the end of a refresh at 110 %", minutes=70)
    report.compare(MOST, most, 4)


def _round_least_and_go_back(account: Account, watch: Watch, group: Group, report: Report) -> None:
    before = group.version()
    refresh_id = group.start("2", MinHealthyPercentage=50, MaxHealthyPercentage=100)
    kinds = ("Rollback Started", "Rollback Succeeded")
    watch.expect(refresh_id, *(_REFRESH + kind for kind in kinds))
    least = 3

    def one_replaced() -> bool | None:
        nonlocal least
        least = min(least, group.in_service())
        seen = group.refresh(refresh_id)
        return True if seen and (seen.get("PercentageComplete") or seen.get("EndTime")) else None

    account.until(one_replaced, "the first replaced instance", minutes=70)
    report.compare(LEAST, least, 2)
    named = {"AutoScalingGroupName": group.name}
    group.calls.rollback_instance_refresh(**named)
    again = code(lambda: group.calls.rollback_instance_refresh(**named))
    report.compare(TWICE, again, "IrreversibleInstanceRefresh")
    ended = group.ended(refresh_id, minutes=70)
    report.compare(ROLLBACK, (ended["Status"], group.version()), ("RollbackSuccessful", before))
