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
the bucket keeps no versions.

Source: Amazon S3 user guide, "EventBridge event message structure".
"""

from __future__ import annotations

from typing import Any

from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The object as a release; what else S3 tells is ignored."""
    kind = text(event, "detail-type")
    if kind != "Object Created":
        return Ignored(f"{kind} of S3 is no push")
    bucket, key = text(event, "detail.bucket.name"), text(event, "detail.object.key")
    version = optional(event, "detail.object.version-id")
    etag = optional(event, "detail.object.etag")
    sequencer = optional(event, "detail.object.sequencer")
    at = time(event)
    turn = version or sequencer or at
    return Push(
        source="s3",
        names={"bucket": bucket, "key": key},
        release=Release(
            source="s3",
            id=f"{bucket}/{key}@{turn}",
            revision=etag or turn,
            digest=etag or turn,
            at=at,
            bucket=bucket,
            key=key,
            version_id=version,
            etag=etag,
            description=f"s3://{bucket}/{key}",
        ),
    )
