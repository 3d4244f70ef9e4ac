"""The SNS topic on which people are told."""

from __future__ import annotations

from ovenbird.aws import clients, faults
from ovenbird.core.notices import Notice
from ovenbird.settings import settings


def publish(notice: Notice) -> None:
    """Send a notice. Repeating it sends it twice.

    IAM: sns:Publish
    """
    with faults.translated("send a notice"):
        clients.get("sns").publish(
            TopicArn=settings().topic_arn, Subject=notice.subject, Message=notice.text
        )
