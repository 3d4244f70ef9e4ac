"""A build has succeeded.

    {
      "version": "0", "id": "c030038d-8c4d-6141-9545-00ff7b7153EX",
      "detail-type": "CodeBuild Build State Change",
      "source": "aws.codebuild", "account": "123456789012",
      "time": "2017-09-01T16:14:28Z", "region": "us-west-2",
      "resources": ["arn:aws:codebuild:us-west-2:123456789012:build/sample-project:8745a7a9-…"],
      "detail": {
        "build-status": "SUCCEEDED", "project-name": "sample-project",
        "build-id": "arn:aws:codebuild:us-west-2:123456789012:build/sample-project:8745a7a9-…",
        "additional-information": {
          "artifact": {
            "md5sum": "da9c44c8a9a3cd4b443126e823168fEX",
            "sha256sum": "6ccc2ae1df9d155ba83c597051611c42d60e09c6329dcb14a312cecc0a8e39EX",
            "location": "arn:aws:s3:::codebuild-123456789012-output-bucket/my-output-artifact.zip"
          },
          "source-version": "bEXAMPLE1", "build-complete": true,
          "source": {"location": "…/my-input-artifact.zip", "type": "S3"}
        },
        "current-phase": "COMPLETED", "version": "1"
      }
    }

``artifact`` is missing where the project has none, its checksums where it does not make them.

Source: AWS CodeBuild user guide, "Build notifications input format reference".
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time

_MORE = "detail.additional-information"


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The build as a release; phases and builds that did not succeed are ignored."""
    kind = text(event, "detail-type")
    if kind != "CodeBuild Build State Change":
        return Ignored(f"{kind} is no push; the whole build's success is")
    project = text(event, "detail.project-name")
    build = text(event, "detail.build-id").rsplit(":build/", 1)[-1]
    status = text(event, "detail.build-status")
    if status != "SUCCEEDED":
        return Ignored(f"build {build} is {status}, not SUCCEEDED")
    place = re.fullmatch(
        r"arn:[^:]+:s3:::([^/]+)/(.+)", optional(event, f"{_MORE}.artifact.location") or ""
    )
    revision = optional(event, f"{_MORE}.source-version") or build
    return Push(
        source="codebuild",
        names={"project": project},
        release=Release(
            source="codebuild",
            id=build,
            revision=revision,
            digest=optional(event, f"{_MORE}.artifact.sha256sum") or build,
            at=time(event),
            bucket=place[1] if place else None,
            key=place[2] if place else None,
            description=f"build {build}",
        ),
    )
