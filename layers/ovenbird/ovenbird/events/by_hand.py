"""What a person asks for: a release, or a roll-back.

    {
      "fleet": "web",
      "release": {"bucket": "acme-releases", "key": "web/4f1c2d7.tar.gz", "revision": "4f1c2d7"},
      "dry_run": true
    }

    {"action": "roll-back", "fleet": "web", "reason": "5xx since ten o'clock"}

``release`` may also have ``version_id`` and ``etag``; ``bucket`` and ``key`` may be missing where
the install script fetches the code itself, and ``revision`` must then be there. A roll-back may
name the ``image`` to return to; without it, it is the one before.

A person who asks again a minute later means it; twice within the same minute is one request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ovenbird.core.quotes import plain, quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import at, optional, prose, text

_RELEASE = {"bucket", "key", "version_id", "etag", "revision", "description"}
_FIELDS = {"action", "fleet", "release", "dry_run"}
_BACK_FIELDS = {"action", "fleet", "image", "reason"}


@dataclass(frozen=True)
class RollBackAsked:
    """A roll-back by hand. ``request`` is its identity, ``image`` ``None`` means the one before."""

    fleet: str
    image: str | None
    reason: str
    at: str
    request: str


def parse(event: dict[str, Any], now: datetime) -> Push | RollBackAsked:
    """The request.

    Raises:
        BadEvent: A field is missing, malformed or unknown.
    """
    action = optional(event, "action") or "release"
    if action == "roll-back":
        return _roll_back(event, now)
    if action != "release":
        raise BadEvent(f'action is {quoted(action)}; it must be "release" or "roll-back".')
    return _release(event, now)


def _release(event: dict[str, Any], now: datetime) -> Push:
    _known(event, _FIELDS, "the payload")
    fleet, wish = text(event, "fleet"), at(event, "release")
    if not isinstance(wish, dict):
        raise BadEvent(
            f"release is {quoted(wish)}; it must be an object with bucket and key, or revision."
        )
    _known(wish, _RELEASE, "release")
    dry_run = event.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise BadEvent(f"dry_run is {quoted(dry_run)}; it must be true or false.")
    bucket, key = optional(event, "release.bucket"), optional(event, "release.key")
    version, etag = optional(event, "release.version_id"), optional(event, "release.etag")
    named = optional(event, "release.revision")
    if (bucket is None) != (key is None):
        raise BadEvent("release has only one of bucket and key; it must have both or neither.")
    if bucket is None and named is None:
        raise BadEvent("release has neither bucket and key nor revision; it must have one of them.")
    place = f"{bucket}/{key}" if bucket else "-"
    minute = _minute(now)
    return Push(
        source="manual",
        names={},
        release=Release(
            source="manual",
            id=f"{place}@{version}@{etag}@{named}@{minute}",
            revision=named or version or etag or minute,
            # Without a name for the content nobody knows whether it is the same as before.
            digest=etag or f"{place}@{version or named or minute}",
            at=_utc(now),
            bucket=bucket,
            key=key,
            version_id=version,
            etag=etag,
            description=prose(event, "release.description") or "asked for by hand",
        ),
        fleet=fleet,
        dry_run=dry_run,
    )


def _roll_back(event: dict[str, Any], now: datetime) -> RollBackAsked:
    _known(event, _BACK_FIELDS, "the payload")
    fleet, image = text(event, "fleet"), optional(event, "image")
    if image is not None and not re.fullmatch(r"ami-[0-9a-f]{8,17}", image):
        raise BadEvent(
            f"image is {quoted(image)}; it must be an image id like ami-0123456789abcdef0."
        )
    return RollBackAsked(
        fleet=fleet,
        image=image,
        reason=prose(event, "reason") or "no reason given",
        at=_utc(now),
        request=f"{image or 'previous'}@{_minute(now)}",
    )


def _known(written: dict[str, Any], names: set[str], where: str) -> None:
    unknown = sorted(written.keys() - names)
    if unknown:
        raise BadEvent(
            f"{plain(unknown[0])} is not known here; {where} may have: {', '.join(sorted(names))}."
        )


def _minute(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _utc(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
