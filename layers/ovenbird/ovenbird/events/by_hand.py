"""What a person asks for: a release, a roll-back, or what would come of something.

    {
      "fleet": "web",
      "release": {"bucket": "acme-releases", "key": "web/4f1c2d7.tar.gz", "revision": "4f1c2d7"},
      "dry_run": true
    }

    {"action": "roll-back", "fleet": "web", "reason": "5xx since ten o'clock"}

``release`` may also have ``version_id``, ``etag`` and ``sha256``, which the download compares;
``bucket`` and ``key`` may be missing where the install script fetches the code itself, and
``revision`` must then be there. What the artefact may be says the fleet's document
(:mod:`ovenbird.core.requests`). A roll-back may name the ``image`` to return to, one that the fleet
ran before; without it, it is the last one.

    {"dry_run": true, "event": {"source": "aws.s3", "detail-type": "Object Created", …}}

asks what an event would start, and why it would not.

    {"fleet": "web", "document": {"groups": ["web"], …}}

asks ``check_fleet`` for the mistakes in a document, or without ``document`` for those in the one
that is stored.

A person who asks again a minute later means it; twice within the same minute is one request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ovenbird.core import contents
from ovenbird.core.names import nearest
from ovenbird.core.quotes import plain, quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import at, optional, prose, sha256, text

_RELEASE = {"bucket", "key", "version_id", "etag", "sha256", "revision", "description"}
_FIELDS = {"action", "fleet", "release", "dry_run"}
_TRIAL_FIELDS = {"dry_run", "event"}
_CHECK_FIELDS = {"document", "fleet"}
_BACK_FIELDS = {"action", "fleet", "image", "reason"}


@dataclass(frozen=True)
class RollBackAsked:
    """A roll-back by hand. ``request`` is its identity, ``image`` ``None`` means the one before."""

    fleet: str
    image: str | None
    reason: str
    at: str
    request: str


@dataclass(frozen=True)
class CheckAsked:
    """A document to be checked: its text or its JSON; ``None`` is the one that is stored."""

    fleet: str
    document: str | dict[str, Any] | None


def trial(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event of which somebody asks what would come of it, ``None`` for any other payload.

    Raises:
        BadEvent: It is not well made.
    """
    if "event" not in event or "source" in event:
        return None
    _known(event, _TRIAL_FIELDS, "the payload")
    inner, dry_run = event["event"], event.get("dry_run")
    if not isinstance(inner, dict) or "source" not in inner:
        raise BadEvent(f"event is {quoted(inner)}; it must be an event with a source.")
    if dry_run is not True:
        raise BadEvent(f"dry_run is {quoted(dry_run)}; it must be true, for an event by hand.")
    return inner


def checked(event: dict[str, Any]) -> CheckAsked:
    """The document that somebody wants checked.

    Raises:
        BadEvent: The payload is not well made.
    """
    _known(event, _CHECK_FIELDS, "the payload")
    fleet, document = text(event, "fleet"), event.get("document")
    if document is not None and not isinstance(document, str | dict):
        raise BadEvent(f"document is {quoted(document)}; it must be an object, or its text.")
    return CheckAsked(fleet, document)


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
    summed = sha256(event, "release.sha256")
    named = optional(event, "release.revision")
    if (bucket is None) != (key is None):
        raise BadEvent("release has only one of bucket and key; it must have both or neither.")
    if bucket is None and named is None:
        raise BadEvent("release has neither bucket and key nor revision; it must have one of them.")
    if bucket is None and summed is not None:
        raise BadEvent(
            "release.sha256 is the sum of an artefact; bucket and key must be there too."
        )
    place = f"{bucket}/{key}" if bucket else "-"
    minute = _minute(now)
    identity = f"{place}@{version}@{etag}@{named}@{f'{summed}@' if summed else ''}{minute}"
    return Push(
        source="manual",
        names={},
        release=Release(
            source="manual",
            id=identity,
            revision=named or version or etag or summed or minute,
            digest=contents.of_request(
                identity, named or "", bucket, key, version=version, etag=etag, sha256=summed
            ),
            at=_utc(now),
            bucket=bucket,
            key=key,
            version_id=version,
            etag=etag,
            sha256=summed,
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
        meant = nearest(unknown[0], names)
        hint = f" (did you mean {meant}?)" if meant else ""
        raise BadEvent(
            f"{plain(unknown[0])} is not known here{hint}; {where} may have: "
            f"{', '.join(sorted(names))}."
        )


def _minute(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _utc(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
