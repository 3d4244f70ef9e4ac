"""A pipeline has succeeded.

    {
      "version": "0", "id": "01234567-EXAMPLE",
      "detail-type": "CodePipeline Pipeline Execution State Change",
      "source": "aws.codepipeline", "account": "123456789012",
      "time": "2020-01-30T22:53:28Z", "region": "us-east-1",
      "resources": ["arn:aws:codepipeline:us-east-1:123456789012:myPipeline"],
      "detail": {
        "pipeline": "myPipeline", "execution-id": "12345678-1234-5678-abcd-12345678abcd",
        "start-time": "2023-10-26T13:49:39.208Z", "state": "SUCCEEDED", "version": 3.0,
        "pipeline-execution-attempt": 1.0
      }
    }

``start-time`` is the execution's: in a pipeline whose executions run side by side the one that
began later is the newer one, whichever ends first.

A pipeline that is run again on the same sources is another execution, and nothing here says that it
made the same; so the content counts as new. An execution that is retried keeps its id, and has not
succeeded before.

Source: AWS CodePipeline user guide, "Monitoring CodePipeline events".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ovenbird.core import contents
from ovenbird.core.orders import Rank
from ovenbird.core.releases import Push, Release
from ovenbird.events.envelope import Ignored, optional, text, time


def parse(event: dict[str, Any]) -> Push | Ignored:
    """The execution as a release; stages, actions and other states are ignored."""
    kind = text(event, "detail-type")
    if kind != "CodePipeline Pipeline Execution State Change":
        return Ignored(f"{kind} is no push; the whole pipeline's success is")
    pipeline, execution = text(event, "detail.pipeline"), text(event, "detail.execution-id")
    state = text(event, "detail.state")
    if state != "SUCCEEDED":
        return Ignored(f"execution {execution} of pipeline {pipeline} is {state}, not SUCCEEDED")
    return Push(
        source="codepipeline",
        names={"pipeline": pipeline},
        release=Release(
            source="codepipeline",
            id=f"{pipeline}/{execution}",
            revision=execution,
            digest=contents.of_push(f"{pipeline}/{execution}"),
            at=time(event),
            description=f"pipeline {pipeline}",
        ),
        rank=_rank(pipeline, optional(event, "detail.start-time")),
    )


def _rank(pipeline: str, began: str | None) -> Rank | None:
    """No proof where it is no time: then that of the event counts."""
    try:
        moment = datetime.fromisoformat(began or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    written = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return Rank(f"pipeline {pipeline}", sequence=written)
