"""The builder: the one instance that is launched outside the group, to be made into an image.

Which instance is one is decided by ids and by what only AWS can write: the id that the launch
answered, else the client token that the launch was made with (:func:`tokens.is_of_launch`). Tags
narrow the search; an instance of an Auto Scaling group is never a builder, whatever its tags say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ovenbird.core.names import few
from ovenbird.core.tokens import is_of_launch

_ENDING = ("shutting-down", "terminated")
SEEN_AFTER = timedelta(seconds=90)  # that long may EC2 not show an instance that was launched


@dataclass(frozen=True)
class Builder:
    """An instance with the tags of a builder, as it was observed.

    ``state`` is EC2's, ``state_reason`` says why it ended, ``client_token`` is that of its launch,
    ``group`` the Auto Scaling group that it belongs to, if any, and ``stopped`` when somebody began
    to stop it, as far as EC2 says so.
    """

    instance_id: str
    state: str
    launched: datetime
    rollout: str = ""
    state_reason: str = ""
    client_token: str = ""
    group: str = ""
    stopped: datetime | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it still has to be terminated."""
        return self.state not in _ENDING


def ours(found: Iterable[Builder], known: str | None = None) -> tuple[Builder, ...]:
    """Those that Ovenbird launched, and nobody has put into a group since.

    Args:
        known: The id that a launch answered.
    """
    return tuple(
        each
        for each in found
        if not each.group
        and (each.instance_id == known or is_of_launch(each.client_token, each.rollout))
    )


def of_rollout(
    found: Iterable[Builder], rollout: str, known: str | None = None
) -> tuple[Builder, ...]:
    """Those of ours that one rollout launched: a launch that was repeated may have made two."""
    return tuple(
        each for each in ours(found, known) if each.rollout == rollout or each.instance_id == known
    )


def strangers(found: Iterable[Builder], known: str | None = None) -> tuple[str, ...]:
    """The ids of those that only look like ours; they are reported, and left alone."""
    found = tuple(found)
    mine = {each.instance_id for each in ours(found, known)}
    return tuple(
        each.instance_id for each in found if each.is_alive and each.instance_id not in mine
    )


def about_strangers(ids: Sequence[str]) -> str:
    """A sentence about instances that only look like builders; empty where there are none."""
    if not ids:
        return ""
    return (
        f"{few(ids)}: tagged as a builder of the fleet, and not launched by Ovenbird or part of a "
        "group, so left alone; find out who tagged it, and take the tag ovenbird:role away."
    )


def with_id(found: Sequence[Builder], known: str | None) -> Builder | None:
    """The builder that a launch answered, if it can be seen."""
    return next((each for each in found if each.instance_id == known), None)


def unseen(
    found: Sequence[Builder],
    rollout: str,
    *,
    known: str | None,
    launched: datetime,
    now: datetime,
) -> bool:
    """Whether the rollout may have a builder that cannot be seen yet.

    Args:
        known: Its id, if the launch was answered.
        launched: When it was launched, or the earliest time at which it can have been.
    """
    if now - launched >= SEEN_AFTER:
        return False
    seen = {builder.instance_id for builder in found if builder.rollout == rollout}
    return known not in seen if known else not seen


def alive(found: Sequence[Builder]) -> tuple[str, ...]:
    """The ids of those that still have to be terminated."""
    return tuple(builder.instance_id for builder in found if builder.is_alive)
