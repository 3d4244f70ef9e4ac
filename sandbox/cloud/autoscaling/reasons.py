"""Why a refresh waits, in the words of its StatusReason."""

from __future__ import annotations

from sandbox.cloud.autoscaling.census import Census
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.refresh import Refresh

_NOT_READY = "Waiting for instances to warm up before continuing. For example: {} is warming up."


def waiting(group: Group, refresh: Refresh, census: Census) -> str:
    """What the refresh waits for, empty when it waits for nothing."""
    held = [seat.instance_id for seat in census.seats if seat.outdated and seat.held]
    raw = [seat.instance_id for seat in census.seats if seat.updated and not seat.ready]
    if raw:
        return _NOT_READY.format(raw[0])
    if held:
        return f"Waiting for scale-in protection to be removed from {held[0]}."
    if census.standby and refresh.preferences.standby == "Wait":
        return f"Waiting for {census.standby[0]} to leave standby."
    if group.failed_launches:
        return f"Waiting: {group.activities[0].message}"
    return ""
