"""Whose a thing is: the fleet that its tag names. Nothing of anybody else is changed."""

from __future__ import annotations

from collections.abc import Mapping

TAG = "ovenbird:fleet"


def refusal(what: str, tags: Mapping[str, str], fleet: str) -> str | None:
    """Why a rollout of the fleet may not change the thing; ``None`` where it may.

    Args:
        what: As in ``Group web``.
        tags: Those that the thing carries now.
    """
    owner = tags.get(TAG)
    if owner == fleet:
        return None
    carried = f"carries the tag {TAG}={owner}" if owner else f"carries no tag {TAG}"
    return f"{what} {carried}, so it is left alone: this rollout is one of fleet {fleet}."
