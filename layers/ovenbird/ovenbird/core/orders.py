"""Orders: the strict place of every accepted request among those of its fleet.

EventBridge's times have whole seconds, so many pushes have the same one. An order is a text,
``2026-01-05T09:00:00+00:00#1767603600250000#000000000042``: the time of the release, that of its
arrival (microseconds), and a number that the ledger counts for each fleet when it accepts it. No
two are equal, and such texts compare like the requests themselves.

Where an event proves more than its time does, that counts: the sequencer of an object, the commit
that was there before, the beginning of a pipeline's execution. A :class:`Rank` is such a proof; it
says something only about the releases of the same ``place``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

ASKED = ("rollout", "fleet", "action", "release", "image", "reason", "at", "order", "dry_run")
REPLACED_KEPT = 10
_ONE_CLOCK = timedelta(minutes=1)  # what the times of one source differ by at most
_SEPARATOR = "#"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rank:
    """What proves the place of a release among those of the same origin.

    Args:
        place: The object, branch or pipeline that it is of.
        sequence: A text that grows with each release of the place: hexadecimal digits of S3, or
            times. Empty where the source has none.
        name: What is there now, where the source tells what was there before: a commit.
        replaced: What was there before, the latest first.
        at: When the release was, and when it arrived; its order begins so (:func:`moment`).
    """

    place: str
    sequence: str = ""
    name: str = ""
    replaced: tuple[str, ...] = ()
    at: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands in the ledger; the place is the key there."""
        return {
            "sequence": self.sequence,
            "name": self.name,
            "replaced": list(self.replaced),
            "at": self.at,
        }

    @classmethod
    def from_json(cls, place: str, written: Mapping[str, Any]) -> Rank:
        """What :meth:`to_json` wrote."""
        return cls(
            place=place,
            sequence=str(written.get("sequence", "")),
            name=str(written.get("name", "")),
            replaced=tuple(written.get("replaced", ())),
            at=str(written.get("at", "")),
        )


@dataclass(frozen=True)
class Newer:
    """It may be accepted; its order begins with ``at``, and ``keep`` is known from then on."""

    at: str
    keep: Rank


@dataclass(frozen=True)
class Older:
    """A newer release of the same place was accepted before: this one is not wanted any more."""

    reason: str
    keep: Rank


def judge(rank: Rank, known: Rank | None) -> Newer | Older:
    """Whether a release comes after the last one that was accepted of its place.

    Args:
        rank: Of the release; ``at`` is that of its event.
        known: What the ledger has of the place, ``None`` for the first one.

    Returns:
        ``Newer`` also where nothing is proven: then the time counts, and among equal times the
        number. Where it is proven that it comes later, a clock that is a little behind does not
        make it the earlier one; what claims to be much older is.
    """
    if known is None:
        return Newer(rank.at, rank)
    if _comes_before(rank, known):
        # What was there before it was there before the newer one too.
        keep = replace(known, replaced=_latest(known.replaced, rank.replaced))
        return Older(f"a newer release of {rank.place} was accepted before", keep)
    if _comes_before(known, rank) and _apart(rank.at, known.at) <= _ONE_CLOCK:
        rank = replace(rank, at=max(rank.at, known.at))
    elif rank.at < known.at:
        return Newer(rank.at, known)
    if time_of(rank.at) == time_of(known.at):
        rank = replace(rank, replaced=_latest(rank.replaced, known.replaced))
    return Newer(rank.at, rank)


def _apart(one: str, other: str) -> timedelta:
    return abs(datetime.fromisoformat(time_of(one)) - datetime.fromisoformat(time_of(other)))


def _latest(*replaced: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in replaced for name in names))[:REPLACED_KEPT]


def _comes_before(one: Rank, other: Rank) -> bool:
    if one.sequence and other.sequence:
        return _less(one.sequence, other.sequence)
    if one.name and time_of(one.at) <= time_of(other.at):
        # A branch that went to and fro within the same second proves nothing.
        return one.name in other.replaced and other.name not in one.replaced
    return False


def _less(one: str, other: str) -> bool:
    """Whether a sequence is the smaller one, for sure.

    S3's are of different lengths at times. Its documentation said first that the shorter one is to
    be filled with zeros on its left, and says now on its right; where that makes a difference
    nothing is proven.

    Source: Amazon S3 user guide, "Event message structure".
    """
    width = max(len(one), len(other))
    left = one.rjust(width, "0") < other.rjust(width, "0")
    right = one.ljust(width, "0") < other.ljust(width, "0")
    return left and right


def order(at: str, number: int) -> str:
    """The order of a request; ``at`` is from :func:`moment`, ``number`` from the ledger."""
    return f"{at}{_SEPARATOR}{number:012d}"


def time_of(written: str) -> str:
    """The time in an order, or in what it begins with: ISO 8601 in UTC."""
    return written.partition(_SEPARATOR)[0]


def moment(at: str, now: datetime) -> str:
    """What an order begins with: the time that counts, in whole seconds and UTC, and the arrival.

    That time is never later than the arrival. Senders write the time of an event of their own
    themselves, and no clock is exact: what lies ahead of ours would win over everything that comes
    until then.
    """
    told = min(datetime.fromisoformat(at), now).astimezone(UTC).replace(microsecond=0)
    arrived = max((now - _EPOCH) // timedelta(microseconds=1), 0)
    return f"{told.isoformat()}{_SEPARATOR}{arrived:016d}"


def digest(wish: Mapping[str, Any]) -> str:
    """What was asked for: the digest of an execution's input, and of every later state of it."""
    asked = {name: wish[name] for name in ASKED if name in wish}
    written = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
