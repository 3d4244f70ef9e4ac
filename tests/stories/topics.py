"""SNS: the notices that were sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result


@dataclass(frozen=True)
class Notice:
    """A message that went to the topic."""

    subject: str
    text: str


@dataclass
class Topics:
    """Keeps what is published; refuses what SNS refuses (SNS API reference, Publish)."""

    arn: str
    notices: list[Notice] = field(default_factory=list)

    def operations(self) -> dict[str, Operation]:
        return {"Publish": self.publish}

    def publish(self, params: Parameters) -> Result:
        subject, text = params.get("Subject", ""), params["Message"]
        if params.get("TopicArn") != self.arn:
            raise AwsError("NotFound", "Topic does not exist", 404)
        if "Subject" in params and not (
            0 < len(subject) < 100 and subject.isascii() and subject.isprintable()
        ):
            raise AwsError("InvalidParameter", "Invalid parameter: Subject")
        if not text or len(text.encode()) > 262_144:
            raise AwsError("InvalidParameter", "Invalid parameter: Message too long or empty")
        self.notices.append(Notice(subject, text))
        return {"MessageId": f"00000000-0000-4000-8000-{len(self.notices):012d}"}
