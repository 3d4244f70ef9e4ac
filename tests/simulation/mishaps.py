"""Mishaps by name: what goes wrong with things, what other people do, and after which step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation import people, things

if TYPE_CHECKING:
    from tests.simulation.simulated import Simulated

Act = Callable[["Simulated", float], None]


@dataclass(frozen=True)
class Sort:
    """One sort of mishap, and after which function's first call it usually comes."""

    act: Act
    after: tuple[str, ...]


_BAKE, _ROLL, _ANY = ("bake_image",), ("roll_group",), ("plan_rollout", "bake_image", "roll_group")
_LATE = ("roll_group", "move_address", "settle_rollout", "undo_rollout")
SORTS: dict[str, Sort] = {
    "quota used up": Sort(things.quota_used_up, _ANY),
    "no room for a few": Sort(things.no_room, _ANY),
    "no room at all": Sort(things.no_room_at_all, _ANY),
    "EC2 refuses": Sort(things.ec2_refuses, _ANY),
    "launches die": Sort(things.launches_die, _ANY),
    "slow boot": Sort(things.slow_boot, _ANY),
    "no agent": Sort(things.no_agent, ("plan_rollout",)),
    "image fails": Sort(things.image_fails, _BAKE),
    "image takes long": Sort(things.image_takes_long, ("plan_rollout",)),
    "seen late": Sort(things.seen_late, ("",)),
    "image name taken": Sort(things.name_is_taken, _BAKE),
    "builder reclaimed": Sort(things.builder_reclaimed, _BAKE),
    "instance lost": Sort(things.instance_lost, _ANY),
    "instance sick": Sort(things.instance_sick, _ANY),
    "alarm goes off": Sort(things.alarm_goes_off, _ANY),
    "alarm without data": Sort(things.alarm_without_data, _ANY),
    "lambda busy": Sort(things.lambda_busy, _ANY + _LATE),
    "rings flood": Sort(things.rings_flood, _ANY + _LATE),
    "somebody refreshes": Sort(people.somebody_refreshes, _ANY + _LATE),
    "somebody cancels the refresh": Sort(people.somebody_cancels, _ROLL + _LATE),
    "somebody cancels and refreshes": Sort(people.somebody_cancels_and_refreshes, _ROLL + _LATE),
    "somebody rolls the refresh back": Sort(people.somebody_rolls_back, _ROLL),
    "rollback cancelled": Sort(people.rollback_cancelled, _ROLL),
    "default version edited": Sort(people.default_version_edited, _ANY + _LATE),
    "version published": Sort(people.version_published, _ANY),
    "group given another version": Sort(people.group_given_another_version, _ANY + _LATE),
    "group follows $Latest": Sort(people.group_follows_latest, ("publish_template", "roll_group")),
    "size changed": Sort(people.size_changed, _ANY + _LATE),
    "image deleted": Sort(people.image_deleted, ("publish_template", "roll_group", "undo_rollout")),
    "process suspended": Sort(people.process_suspended, _ANY),
    "balancer forgotten": Sort(people.balancer_forgotten, _ANY),
    "tag not propagated": Sort(people.tag_not_propagated, _ANY),
    "address taken": Sort(people.address_taken, _ANY + _LATE),
    "address freed": Sort(people.address_freed, _ANY + _LATE),
    "instance in standby": Sort(people.into_standby, _ANY),
    "instance protected": Sort(people.protected, _ANY),
    "document broken": Sort(people.document_broken, _ANY + _LATE),
    "document changed": Sort(people.document_changed, _ANY),
    "execution sleeps": Sort(people.execution_sleeps, _ANY + _LATE),
    "execution stopped": Sort(people.execution_stopped, _ANY + _LATE),
}
