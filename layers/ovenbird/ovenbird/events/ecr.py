"""A container image was pushed.

    {
      "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482",
      "detail-type": "ECR Image Action", "source": "aws.ecr", "account": "123456789012",
      "time": "2019-11-16T01:54:34Z", "region": "us-west-2", "resources": [],
      "detail": {
        "result": "SUCCESS", "repository-name": "my-repository-name",
        "image-digest": "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234",
        "action-type": "PUSH", "image-tag": "latest",
        "artifact-media-type": "application/vnd.oci.image.config.v1+json",
        "manifest-media-type": "application/vnd.oci.image.manifest.v1+json"
      }
    }

``image-tag`` is empty for an image without a tag, as the parts of a multi-platform image are. The
two media types are not in the guide's sample but in what arrives: the first is that of the
manifest's ``config``, which is other than an image's for a Helm chart, a build cache or a signature
by Notation; a list of images has none.

What belongs to another image has a tag that is made of that image's digest: the signatures,
attestations and SBOMs of cosign (``sha256-….sig``, ``.att``, ``.sbom``), whose media types are
those of an image, and the list of referrers (``sha256-…``).

Source: Amazon ECR user guide, "Amazon ECR events and EventBridge"; ECRImageAction in the AWS CDK
reference (fields); sigstore/cosign, "Signature Specification"; OCI distribution specification,
"Referrers Tag Schema".
"""

from __future__ import annotations

import re
from typing import Any

from ovenbird.core import contents
from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time

_BELONGING = re.compile(r"sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})(?:\.(?P<kind>.+))?")
_KINDS = {"sig": "signature", "att": "attestation", "sbom": "SBOM"}


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The container image as a release.

    Deletions, failures, images without a tag and what belongs to another image are ignored.
    """
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
    if belonging := _BELONGING.fullmatch(tag):
        kind = _KINDS.get(belonging["kind"] or "", "list of what refers to it")
        return Ignored(f"{repository}:{tag} belongs to another image ({kind})")
    digest, at = text(event, "detail.image-digest"), time(event)
    media_type = optional(event, "detail.artifact-media-type")
    media_type = media_type or optional(event, "detail.manifest-media-type")
    names = {"repository": repository, "tag": tag}
    return Push(
        source="ecr",
        names=names | ({"media_type": media_type} if media_type else {}),
        release=Release(
            source="ecr",
            # With its time: a tag may come back to an image, and that is another push.
            id=f"{repository}:{tag}@{digest}@{at}",
            revision=digest,
            digest=contents.of_sha256(digest),
            at=at,
            description=f"{repository}:{tag}",
        ),
    )
