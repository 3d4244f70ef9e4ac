"""Which instance of the group is struck."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.simulated import Simulated


def member(sim: Simulated, amount: float) -> str:
    members = [one.instance_id for one in sim.fleet.group.members.values()]
    in_service = [one for one in members if sim.fleet.group.members[one].lifecycle == "InService"]
    return in_service[int(amount * len(in_service))] if in_service else ""
