"""A CI job asks for a release, with an event of our own on the bus.

    {
      "version": "0", "id": "9a1f6c1e-6d0b-4f0e-9d0a-0d6f6b0e1c55",
      "detail-type": "Release Requested", "source": "ovenbird", "account": "123456789012",
      "time": "2026-01-05T09:00:00Z", "region": "eu-west-1", "resources": [],
      "detail": {
        "fleet": "web", "revision": "4f1c2d7",
        "artifact": "s3://acme-releases/web/4f1c2d7.tar.gz"
      }
    }

Without ``fleet`` every fleet that accepts such events gets it. ``artifact`` may also be an object
``{"bucket", "key", "version_id"}``, or be missing where the install script fetches the code itself.
``aws events put-events`` sends it.
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core.quotes import quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, at, optional, prose, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The request as a release.

    Raises:
        BadEvent: A field is missing or malformed.
    """
    kind = text(event, "detail-type")
    if kind != "Release Requested":
        return Ignored(f"{kind} of ovenbird is no push")
    revision, when = text(event, "detail.revision"), time(event)
    bucket, key, version = _artifact(event)
    fleet = optional(event, "detail.fleet")
    content = f"{bucket}/{key}@{version}" if version else f"{bucket}/{key}@{revision}"
    return Push(
        source="ovenbird",
        names={},
        release=Release(
            source="ovenbird",
            id=f"{content}@{revision}@{when}",
            revision=revision,
            digest=content,
            at=when,
            bucket=bucket,
            key=key,
            version_id=version,
            description=prose(event, "detail.description") or f"revision {revision}",
        ),
        fleet=fleet,
    )


def _artifact(event: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    artifact = at(event, "detail.artifact")
    if artifact is None:
        return None, None, None
    if isinstance(artifact, dict):
        return (
            text(event, "detail.artifact.bucket"),
            text(event, "detail.artifact.key"),
            optional(event, "detail.artifact.version_id"),
        )
    place = re.fullmatch(r"s3://([^/]+)/(.+)", artifact) if isinstance(artifact, str) else None
    if place is None:
        raise BadEvent(
            f"detail.artifact is {quoted(artifact)}; it must be s3://bucket/key, "
            "or an object with bucket, key and perhaps version_id."
        )
    return place[1], place[2], None
