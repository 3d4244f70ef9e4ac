"""A branch of a repository has moved, or a Git tag was set.

    {
      "version": "0", "id": "01234567-0123-0123-0123-012345678901",
      "detail-type": "CodeCommit Repository State Change",
      "source": "aws.codecommit", "account": "123456789012",
      "time": "2017-06-12T10:23:43Z", "region": "us-east-2",
      "resources": ["arn:aws:codecommit:us-east-2:123456789012:MyDemoRepo"],
      "detail": {
        "event": "referenceUpdated", "repositoryName": "MyDemoRepo",
        "repositoryId": "12345678-1234-5678-abcd-12345678abcd", "referenceType": "branch",
        "referenceName": "main", "referenceFullName": "refs/heads/main",
        "commitId": "7f0103fEXAMPLE", "oldCommitId": "3g0103eEXAMPLE",
        "callerUserArn": "arn:aws:iam::123456789012:user/Mary_Major"
      }
    }

A tag has the ``referenceType`` ``tag`` and the ``referenceName`` ``v1.4.2``; that of a tag with a
message is told by the commit that it means. ``referenceUpdated`` tells of a tag that was moved.

Source: AWS CodeCommit user guide, "Monitoring CodeCommit events in Amazon EventBridge".
"""

from __future__ import annotations

from typing import Any

from ovenbird.core import contents
from ovenbird.core.orders import Rank
from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The commit as a release; what was deleted is ignored."""
    kind = text(event, "detail-type")
    if kind != "CodeCommit Repository State Change":
        return Ignored(f"{kind} is no push")
    repository, name = text(event, "detail.repositoryName"), text(event, "detail.referenceName")
    change, what = text(event, "detail.event"), text(event, "detail.referenceType")
    if what not in ("branch", "tag"):
        return Ignored(f"{name} of {repository} is a {what}, neither a branch nor a tag")
    if change == "referenceDeleted":
        return Ignored(f"{what} {name} of {repository} was deleted")
    commit, at = text(event, "detail.commitId"), time(event)
    before = optional(event, "detail.oldCommitId")
    return Push(
        source="codecommit",
        names={"repository": repository, what: name},
        release=Release(
            source="codecommit",
            # With its time: a branch may come back to a commit, and that is another push.
            id=f"{repository}/{what}/{name}/{commit}@{at}",
            revision=commit,
            digest=contents.of_commit(commit),
            at=at,
            description=f"{what} {name} of {repository}",
        ),
        rank=Rank(f"{repository}/{what}/{name}", name=commit, replaced=(before,) if before else ()),
    )
