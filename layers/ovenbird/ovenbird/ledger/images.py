"""Images that were made for a fleet: by their ids, with what they were made of and how they did.

Item ``images#<fleet>``: ``log``, a list to which is only appended, so that a write needs no look
and repeating it does no harm: {image, key, base, rollout} when one was made, {image, bad} when one
turned out bad. The last :data:`KEPT` entries are remembered; content whose entry is forgotten is
baked once more.
"""

from __future__ import annotations

from typing import Any

from ovenbird.core.images import Baked, Known
from ovenbird.ledger import table

KEPT = 400


def read(fleet: str) -> Known:
    """Every image that is remembered, by its id.

    IAM: dynamodb:GetItem
    """
    item = table.get(_pk(fleet)) or {}
    known: dict[str, Baked] = {}
    for entry in item.get("log", ()):
        image = entry["image"]
        before = known.get(image, Baked(image))
        known[image] = Baked(
            image,
            key=entry.get("key", before.key),
            base=entry.get("base", before.base),
            rollout=entry.get("rollout", before.rollout),
            bad=entry.get("bad", before.bad),
        )
    return known


def made(fleet: str, image: Baked) -> None:
    """Write down that an image was made for the fleet; before anybody is told its id.

    IAM: dynamodb:UpdateItem
    """
    entry = {"image": image.image_id, "key": image.key}
    _append(fleet, entry | {"base": image.base, "rollout": image.rollout})


def mark_bad(fleet: str, image_id: str, reason: str) -> None:
    """Write down that an image is not to be used again, and why; the last reason stays.

    IAM: dynamodb:UpdateItem
    """
    _append(fleet, {"image": image_id, "bad": reason or "no reason given"})


def _append(fleet: str, entry: dict[str, str]) -> None:
    written = table.update(
        _pk(fleet),
        "SET #log = list_append(if_not_exists(#log, :none), :entry)",
        {"none": [], "entry": [entry]},
    )
    log: list[Any] = written.item["log"]
    if len(log) > KEPT:  # without effect where somebody has appended meanwhile: the next one cuts
        table.update(
            _pk(fleet),
            "SET #log = :kept",
            {"kept": log[-KEPT:], "log": log},
            condition="#log = :log",
        )


def _pk(fleet: str) -> str:
    return f"images#{fleet}"
