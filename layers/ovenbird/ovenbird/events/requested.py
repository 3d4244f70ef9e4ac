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

``artifact`` may also be an object ``{"bucket", "key", "version_id", "etag", "sha256"}``, or be
missing where the install script fetches the code itself. What it may be says the fleet's document
(:mod:`ovenbird.core.requests`). ``aws events put-events`` sends it, and whoever may do that chooses
every field but ``account`` and ``region``.

``revision`` is a label, unless it is a whole hash and no artefact comes with it; only a version, an
ETag or a sum says what the artefact holds.
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core import contents
from ovenbird.core.quotes import quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, at, optional, prose, sha256, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The request as a release.

    Raises:
        BadEvent: A field is missing or malformed.
    """
    kind = text(event, "detail-type")
    if kind != "Release Requested":
        return Ignored(f"{kind} of ovenbird is no push")
    revision, when = text(event, "detail.revision"), time(event)
    bucket, key, version, etag, summed = _artifact(event)
    identity = f"{bucket}/{key}@{version}@{etag}@{f'{summed}@' if summed else ''}{revision}@{when}"
    return Push(
        source="ovenbird",
        names={},
        release=Release(
            source="ovenbird",
            id=identity,
            revision=revision,
            digest=contents.of_request(
                identity, revision, bucket, key, version=version, etag=etag, sha256=summed
            ),
            at=when,
            bucket=bucket,
            key=key,
            version_id=version,
            etag=etag,
            sha256=summed,
            description=prose(event, "detail.description") or f"revision {revision}",
        ),
        fleet=text(event, "detail.fleet"),
        sender=(text(event, "region"), text(event, "account")),
    )


def _artifact(
    event: dict[str, Any],
) -> tuple[str | None, str | None, str | None, str | None, str | None]:
    artifact = at(event, "detail.artifact")
    if artifact is None:
        return None, None, None, None, None
    if isinstance(artifact, dict):
        return (
            text(event, "detail.artifact.bucket"),
            text(event, "detail.artifact.key"),
            optional(event, "detail.artifact.version_id"),
            optional(event, "detail.artifact.etag"),
            sha256(event, "detail.artifact.sha256"),
        )
    place = re.fullmatch(r"s3://([^/]+)/(.+)", artifact) if isinstance(artifact, str) else None
    if place is None:
        raise BadEvent(
            f"detail.artifact is {quoted(artifact)}; it must be s3://bucket/key, "
            "or an object with bucket, key and perhaps version_id, etag and sha256."
        )
    return place[1], place[2], None, None, None
