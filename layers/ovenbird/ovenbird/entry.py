"""The one decorator that every handler wears: log, count, name the failure, let it out.

JSON logs and metrics with Powertools. No Tracer and no pydantic: they cost a tenth of a second at
every cold start, and ``Tracing: Active`` in the template traces without them.

One metric, ``Outcome`` in the namespace ``Ovenbird``, by step and result; a failure is counted by
its class name too (dimension ``failure``). A step may add its own counts with ``counts`` in its
answer, as in ``{"counts": {"StaleTokens": 1}}``; they have the dimension ``step`` alone, so that an
alarm can watch them whatever the result was.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from ovenbird import clock
from ovenbird.answers import Answer
from ovenbird.core.quotes import plain
from ovenbird.errors import (
    AddressFailed,
    BadEvent,
    BakeFailed,
    Declined,
    OvenbirdError,
    Refused,
    Retryable,
    RollFailed,
    Terminal,
    UndoFailed,
)

NAMESPACE = "Ovenbird"
FOREIGN_TEXT_BYTES = 4096
LONGEST_NAME = 80  # of an execution
Step = Callable[[dict[str, Any], datetime], Answer]
Handler = Callable[[Any, object], Answer]

# As what each step of a rollout fails where AWS declines a call for a reason of its own.
OWN: dict[str, type[Terminal]] = {
    "plan_rollout": Refused,
    "bake_image": BakeFailed,
    "publish_template": Refused,
    "roll_group": RollFailed,
    "move_address": AddressFailed,
    "settle_rollout": RollFailed,
    "undo_rollout": UndoFailed,
}

logger = Logger(service="ovenbird", utc=True)
metrics = Metrics(namespace=NAMESPACE, service="")


def entry(name: str, step: Step) -> Handler:
    """The Lambda handler of a step.

    Failures are logged, counted and raised again: Lambda reports the class name as ``errorType``.
    The event is never logged, because it may be anything; what a step makes of it is in its
    answer's ``reason``.
    """

    def handler(event: Any, context: object = None) -> Answer:
        logger.append_keys(**_keys(name, event, context))
        try:
            if not isinstance(event, dict):
                raise BadEvent("The event is not a JSON object; events/ has a sample of each.")
            answer = _named(name, step, event)
        except Exception as failure:
            _failed(name, failure)
            raise
        result = _result(answer)
        logger.info(short(str(answer.get("reason", ""))), extra={"result": result})
        _count(name, result, answer.get("counts", {}))
        return answer

    return handler


def _named(name: str, step: Step, event: dict[str, Any]) -> Answer:
    """The step's answer; what AWS declines for a reason of its own is the step's own failure."""
    try:
        return step(event, clock.now())
    except Declined as declined:
        own = OWN.get(name)
        if own is None:
            raise
        raise own(str(declined)) from declined


def short(text: str) -> str:
    """At most 4 KB of a text that others wrote (a script's output, AWS's reasons)."""
    raw = text.encode(errors="replace")  # half a character cannot be written at all
    if len(raw) <= FOREIGN_TEXT_BYTES:
        return raw.decode()
    return raw[: FOREIGN_TEXT_BYTES - 4].decode(errors="ignore") + " …"


def _keys(name: str, event: object, context: object) -> dict[str, str]:
    rollout = _name(event, "rollout")
    return {
        "step": name,
        "rollout": rollout,
        "fleet": _name(event, "fleet"),
        # The rollout's id is the name of its execution.
        "execution": _name(event, "execution") or rollout,
        "request": str(getattr(context, "aws_request_id", "")),
    }


def _name(event: object, field: str) -> str:
    """A name in the event, which may be anything."""
    value = event.get(field) if isinstance(event, dict) else None
    return plain(value, LONGEST_NAME) if isinstance(value, str) else ""


def _result(answer: Answer) -> str:
    if answer.get("ignored") and not answer.get("accepted"):
        return "ignored"
    return str(answer.get("next", "done"))


def _failed(name: str, failure: Exception) -> None:
    kind = type(failure).__name__
    text = short(str(failure))
    if isinstance(failure, Retryable):
        logger.warning(text, extra={"result": "failed", "failure": kind})
    elif isinstance(failure, OvenbirdError):
        logger.error(text, extra={"result": "failed", "failure": kind})
    else:
        # Unknown failures keep their trace: somebody has to find out what they are. Without their
        # text, which stands in the message as far as it is short.
        trace = "".join(traceback.format_tb(failure.__traceback__))
        logger.error(text, extra={"result": "failed", "failure": kind, "exception": trace})
    metrics.add_dimensions(failure=kind)
    _count(name, "failed", {})


def _count(name: str, result: str, counts: dict[str, int]) -> None:
    metrics.add_dimension("step", name)
    metrics.add_dimension("result", result)
    metrics.add_metric("Outcome", MetricUnit.Count, 1)
    metrics.flush_metrics()
    for what, times in counts.items():
        if times:
            with single_metric(what, MetricUnit.Count, times, namespace=NAMESPACE) as metric:
                metric.add_dimension("step", name)
