"""The fleets of a running sandbox in a terminal, seen through AWS's own API."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.keys import Key
from sandbox.sandbox import client

_TAG = "ovenbird:fleet"
_LOOK_EVERY = 0.5
_COLOURS = {
    "Successful": "green",
    "SUCCEEDED": "green",
    "healthy": "green",
    "Failed": "red",
    "FAILED": "red",
    "unhealthy": "red",
    "RollbackSuccessful": "red",
    "RollbackFailed": "red",
}

Clients = Callable[[str], Any]


def show(endpoint: str, key: Key | None, *, watch: bool) -> int:
    """Print the fleets once, or again and again; the exit code says whether a sandbox answered.

    Args:
        key: The credentials that the sandbox exported; ``None`` where nobody has pasted them.
    """
    console = Console()
    known: dict[str, Any] = {}
    if key is None:
        console.print("Paste the exports that python -m sandbox up printed into this terminal.")
        return 1

    def clients(service: str) -> Any:
        if service not in known:
            known[service] = client(service, endpoint, key)
        return known[service]

    try:
        picture = fleets(clients)
        if not watch:
            console.print(picture)
            return 0
        with Live(picture, console=console, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(_LOOK_EVERY)
                live.update(fleets(clients), refresh=True)
    except EndpointConnectionError:
        console.print(f"No sandbox answers at {endpoint}; start one: python -m sandbox up")
        return 1
    except ClientError as refused:
        if refused.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        console.print(refused.response["Error"]["Message"])
        return 1
    except KeyboardInterrupt:
        return 0


def fleets(clients: Clients) -> Group:
    """Everything that belongs to a fleet, as it is now."""
    groups = clients("autoscaling").describe_auto_scaling_groups(
        Filters=[{"Name": "tag-key", "Values": [_TAG]}]
    )["AutoScalingGroups"]
    parts: list[Any] = [part for group in groups for part in _group(clients, group)]
    parts += [_addresses(clients), _executions(clients)]
    return Group(*parts)


def _group(clients: Clients, group: dict[str, Any]) -> list[Any]:
    name = group["AutoScalingGroupName"]
    health = _health(clients, group.get("TargetGroupARNs", []))
    versions = Counter(_version(instance) for instance in group["Instances"])
    title = (
        f"{name}: {group['MinSize']} ≤ {group['DesiredCapacity']} ≤ {group['MaxSize']}, "
        + ", ".join(
            f"{number} on version {version}" for version, number in sorted(versions.items())
        )
    )
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in ("instance", "version", "state", "health"):
        table.add_column(column)
    for instance in sorted(
        group["Instances"], key=lambda each: (_version(each), each["InstanceId"])
    ):
        table.add_row(
            instance["InstanceId"],
            _version(instance),
            instance["LifecycleState"],
            _coloured(health.get(instance["InstanceId"], instance["HealthStatus"])),
        )
    return [table, _refresh(clients, name)]


def _health(clients: Clients, target_groups: list[str]) -> dict[str, str]:
    return {
        found["Target"]["Id"]: found["TargetHealth"]["State"]
        for arn in target_groups
        for found in clients("elbv2").describe_target_health(TargetGroupArn=arn)[
            "TargetHealthDescriptions"
        ]
    }


def _version(instance: dict[str, Any]) -> str:
    return str(instance.get("LaunchTemplate", {}).get("Version", "?"))


def _refresh(clients: Clients, group: str) -> Text:
    found = clients("autoscaling").describe_instance_refreshes(
        AutoScalingGroupName=group, MaxRecords=1
    )["InstanceRefreshes"]
    if not found:
        return Text("no refresh yet\n")
    latest = found[0]
    percent = f" {latest['PercentageComplete']} %" if "PercentageComplete" in latest else ""
    line = Text("refresh ") + _coloured(latest["Status"]) + Text(percent)
    return line + Text(f"  {latest.get('StatusReason', '')}\n")


def _addresses(clients: Clients) -> Table:
    table = Table(title="addresses", title_justify="left", title_style="bold")
    for column in ("address", "fleet", "instance"):
        table.add_column(column)
    found = clients("ec2").describe_addresses(Filters=[{"Name": "tag-key", "Values": [_TAG]}])
    for address in found["Addresses"]:
        fleet = next(tag["Value"] for tag in address["Tags"] if tag["Key"] == _TAG)
        table.add_row(address["PublicIp"], fleet, address.get("InstanceId", "nobody"))
    return table


def _executions(clients: Clients) -> Table:
    table = Table(title="executions", title_justify="left", title_style="bold")
    for column in ("state machine", "execution", "status", "began"):
        table.add_column(column)
    steps = clients("stepfunctions")
    for machine in steps.list_state_machines()["stateMachines"]:
        latest = steps.list_executions(stateMachineArn=machine["stateMachineArn"], maxResults=5)
        for execution in latest["executions"]:
            table.add_row(
                machine["name"],
                execution["name"],
                _coloured(_status(steps, execution)),
                f"{execution['startDate']:%H:%M:%S}",
            )
    return table


def _status(steps: Any, execution: dict[str, Any]) -> str:
    """The status, and the error of a failed one."""
    if execution["status"] != "FAILED":
        return str(execution["status"])
    try:
        described = steps.describe_execution(executionArn=execution["executionArn"])
    except ClientError:  # it has been forgotten meanwhile
        return "FAILED"
    return f"FAILED {described.get('error', '')}"


def _coloured(word: str) -> Text:
    return Text(word, style=_COLOURS.get(word.partition(" ")[0], ""))
