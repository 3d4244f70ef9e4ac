"""A branch of a repository has moved.

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

Source: AWS CodeCommit user guide, "Monitoring CodeCommit events in Amazon EventBridge".
"""

from __future__ import annotations

from typing import Any

from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The commit as a release; tags and deleted branches are ignored."""
    kind = text(event, "detail-type")
    if kind != "CodeCommit Repository State Change":
        return Ignored(f"{kind} is no push")
    repository, branch = text(event, "detail.repositoryName"), text(event, "detail.referenceName")
    change, what = text(event, "detail.event"), text(event, "detail.referenceType")
    if what != "branch":
        return Ignored(f"{branch} of {repository} is a {what}, not a branch")
    if change == "referenceDeleted":
        return Ignored(f"branch {branch} of {repository} was deleted")
    commit, at = text(event, "detail.commitId"), time(event)
    return Push(
        source="codecommit",
        names={"repository": repository, "branch": branch},
        release=Release(
            source="codecommit",
            # With its time: a branch may come back to a commit, and that is another push.
            id=f"{repository}/{branch}/{commit}@{at}",
            revision=commit,
            digest=commit,
            at=at,
            description=f"branch {branch} of {repository}",
        ),
    )
