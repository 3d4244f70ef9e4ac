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

``artifact`` is missing where the project has none, its checksums where it does not make them. They
are those of the object, and the builder compares the SHA-256 sum with what it downloads.

A batch has no event of its own (EventBridge knows builds, phases and fleets of CodeBuild), but each
of its builds has one, with an artefact of its own. The guide does not say what tells them from
other builds. CodeBuild starts them with the batch's service role, so their ``initiator`` is that
role and a session of CodeBuild's, as in ``web-batch-role/AWSCodeBuild-8745a7a9-…``; the same is
true of a build that another build has started. Where the event names the batch itself
(``…:build-batch/web:…``), that is believed too.

Source: AWS CodeBuild user guide, "Build notifications input format reference" and "Batch builds";
EventBridge reference, "AWS CodeBuild events"; CodeBuild API reference, Build (``initiator``).
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core import contents
from ovenbird.core.quotes import plain
from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, at, optional, text, time

_MORE = "detail.additional-information"
_BATCH = re.compile(r"arn:[^:]+:codebuild:[^:]*:[^:]*:build-batch/(.+)")


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The build as a release; phases and builds that did not succeed are ignored."""
    kind = text(event, "detail-type")
    if kind != "CodeBuild Build State Change":
        return Ignored(f"{kind} is no push; the whole build's success is")
    project = text(event, "detail.project-name")
    build = re.split(r":build(?:-batch)?/", text(event, "detail.build-id"))[-1]
    status = text(event, "detail.build-status")
    if status != "SUCCEEDED":
        return Ignored(f"build {build} is {status}, not SUCCEEDED")
    place = re.fullmatch(
        r"arn:[^:]+:s3:::([^/]+)/(.+)", optional(event, f"{_MORE}.artifact.location") or ""
    )
    revision = optional(event, f"{_MORE}.source-version") or build
    names = {"project": project}
    if place:
        names["key"] = place[2]
    if of_batch := _of_batch(event, build):
        names["batch"] = of_batch
    summed = _sum(event)
    return Push(
        source="codebuild",
        names=names,
        release=Release(
            source="codebuild",
            id=build,
            revision=revision,
            digest=contents.of_sha256(summed) if summed else contents.of_push(build),
            at=time(event),
            bucket=place[1] if place else None,
            key=place[2] if place else None,
            sha256=summed if place else None,
            description=f"build {build}",
        ),
    )


def _sum(event: dict[str, Any]) -> str | None:
    """The sum of the artefact, which the download compares; a text that is none says nothing."""
    told = optional(event, f"{_MORE}.artifact.sha256sum") or ""
    return told.lower() if re.fullmatch(r"[0-9A-Fa-f]{64}", told) else None


def _of_batch(event: dict[str, Any], build: str) -> str:
    """Why a build is one of many, or nothing."""
    more, resources = at(event, _MORE), at(event, "resources")
    texts = list(more.values()) if isinstance(more, dict) else []
    for each in texts + (resources if isinstance(resources, list) else []):
        named = _BATCH.fullmatch(each) if isinstance(each, str) else None
        if named and named[1] != build:
            return f"build {build} is one of the batch {plain(named[1])}"
    initiator = optional(event, f"{_MORE}.initiator") or ""
    if re.fullmatch(r".+/AWSCodeBuild-[0-9a-f-]+", initiator):
        return f"build {build} was started by CodeBuild itself ({plain(initiator)})"
    return ""
