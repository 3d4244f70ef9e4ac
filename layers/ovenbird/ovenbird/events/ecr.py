"""A container image was pushed.

    {
      "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482",
      "detail-type": "ECR Image Action", "source": "aws.ecr", "account": "123456789012",
      "time": "2019-11-16T01:54:34Z", "region": "us-west-2", "resources": [],
      "detail": {
        "result": "SUCCESS", "repository-name": "my-repository-name",
        "image-digest": "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
        "action-type": "PUSH", "image-tag": "latest"
      }
    }

``image-tag`` is empty for an image without a tag, as the parts of a multi-platform image are.

Source: Amazon ECR user guide, "Amazon ECR events and EventBridge".
"""

from __future__ import annotations

from typing import Any

from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The container image as a release; deletions, failures and untagged images are ignored."""
    kind = text(event, "detail-type")
    if kind != "ECR Image Action":
        return Ignored(f"{kind} is no push")
    repository, action = text(event, "detail.repository-name"), text(event, "detail.action-type")
    if action != "PUSH":
        return Ignored(f"{action} in {repository} is no push")
    if (result := text(event, "detail.result")) != "SUCCESS":
        return Ignored(f"a push to {repository} ended with {result}")
    tag = optional(event, "detail.image-tag")
    if tag is None:
        return Ignored(f"an image without a tag was pushed to {repository}")
    digest, at = text(event, "detail.image-digest"), time(event)
    return Push(
        source="ecr",
        names={"repository": repository, "tag": tag},
        release=Release(
            source="ecr",
            # With its time: a tag may come back to an image, and that is another push.
            id=f"{repository}:{tag}@{digest}@{at}",
            revision=digest,
            digest=digest,
            at=at,
            description=f"{repository}:{tag}",
        ),
    )
