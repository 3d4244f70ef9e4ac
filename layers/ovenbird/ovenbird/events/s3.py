"""An object was put into a bucket.

    {
      "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103",
      "detail-type": "Object Created", "source": "aws.s3", "account": "111122223333",
      "time": "2021-11-12T00:00:00Z", "region": "ca-central-1",
      "resources": ["arn:aws:s3:::amzn-s3-demo-bucket1"],
      "detail": {
        "version": "0",
        "bucket": {"name": "amzn-s3-demo-bucket1"},
        "object": {
          "key": "example-key", "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184",
          "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "sequencer": "617f08299329d189"
        },
        "request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012",
        "source-ip-address": "192.0.2.1", "reason": "PutObject"
      }
    }

The key is not URL-encoded here, unlike in S3's own notifications. ``version-id`` is missing where
the bucket keeps no versions. ``sequencer`` is hexadecimal and grows with each change of the key,
also where their events come in another order or bear the same time. A folder that somebody makes in
the console is an object of no bytes whose key ends with ``/``; other tools mark folders with other
empty objects.

Source: Amazon S3 user guide, "EventBridge event message structure".
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core import contents
from ovenbird.core.orders import Rank
from ovenbird.core.quotes import quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import Ignored, at, optional, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The object as a release; folders, empty objects and what else S3 tells are ignored."""
    kind = text(event, "detail-type")
    if kind != "Object Created":
        return Ignored(f"{kind} of S3 is no push")
    bucket, key = text(event, "detail.bucket.name"), text(event, "detail.object.key")
    if key.endswith("/"):
        return Ignored(f"s3://{bucket}/{key} is a folder")
    size = _size(event)
    if size == 0:
        return Ignored(f"s3://{bucket}/{key} is empty")
    version = optional(event, "detail.object.version-id")
    etag = optional(event, "detail.object.etag")
    sequencer = optional(event, "detail.object.sequencer")
    when = time(event)
    turn = version or sequencer or when
    identity = f"{bucket}/{key}@{turn}"
    return Push(
        source="s3",
        names={"bucket": bucket, "key": key},
        release=Release(
            source="s3",
            id=identity,
            revision=etag or turn,
            digest=contents.of_object(identity, bucket, key, version=version, etag=etag),
            at=when,
            bucket=bucket,
            key=key,
            version_id=version,
            etag=etag,
            size=size,
            description=f"s3://{bucket}/{key}",
        ),
        rank=_rank(f"s3://{bucket}/{key}", sequencer),
    )


def _rank(place: str, sequencer: str | None) -> Rank | None:
    """No proof where it is no hexadecimal number: then the time counts."""
    if sequencer is None or re.fullmatch(r"[0-9A-Fa-f]{1,64}", sequencer) is None:
        return None
    return Rank(place, sequence=sequencer.lower())


def _size(event: dict[str, Any]) -> int | None:
    size = at(event, "detail.object.size")
    if size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= 0):
        return size
    raise BadEvent(f"detail.object.size is {quoted(size)}; it must be a number of bytes.")
