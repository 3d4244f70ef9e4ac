"""The kinds of faults that strike a call: where each is possible, and what it does there.

``patience`` is how many in a row a rollout must survive. With 0 it need not survive it, but it must
end as any other: with a named result and nothing left behind.

Sources: common errors of the API references of EC2, Auto Scaling, Elastic Load Balancing,
CloudWatch, Systems Manager, DynamoDB, Step Functions, SNS and Lambda; Step Functions developer
guide, "Handling errors" (the names of Lambda's errors).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed, LostAnswer, NoConnection
from tests.simulation.places import STEPS, Place, of
from tests.stories.calls import Go, HandlerCall
from tests.stories.lambdas import TimedOut
from tests.stories.world import World

INCONSISTENT_FOR = timedelta(seconds=60)


@dataclass
class Struck:
    """What a fault needs to know of the world that it strikes."""

    world: World
    answers: dict[str, tuple[datetime, Any]] = field(default_factory=dict)  # by question
    pages: dict[str, Any] = field(default_factory=dict)  # by the token that leads there

    def remember(self, call: HandlerCall, answer: Any) -> None:
        """What was answered may be answered once more, for a minute."""
        if is_read(of(call)):
            self.answers[_question(call)] = (self.world.now(), answer)


Act = Callable[[Struck, HandlerCall, Go], Any]


def _always(_struck: Struck, _call: HandlerCall) -> bool:
    return True


@dataclass(frozen=True)
class Kind:
    """A kind of fault. ``chance`` is whether it is possible at this very call, too."""

    name: str
    possible: Callable[[Place], bool]
    act: Act
    patience: int = 0
    chance: Callable[[Struck, HandlerCall], bool] = _always


# Errors instead of an effect ----------------------------------------------------------------------

_Codes = dict[str, tuple[str, int]]  # service → code, HTTP status

SLOW_DOWN: _Codes = {
    "autoscaling": ("Throttling", 400),
    "elb": ("Throttling", 400),
    "elbv2": ("Throttling", 400),
    "cloudwatch": ("Throttling", 400),
    "sns": ("Throttling", 400),
    "ssm": ("ThrottlingException", 400),
    "dynamodb": ("ThrottlingException", 400),
    "stepfunctions": ("ThrottlingException", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "lambda": ("TooManyRequestsException", 429),
}
FAILURE: _Codes = {
    "autoscaling": ("InternalFailure", 500),
    "elb": ("InternalFailure", 500),
    "elbv2": ("InternalFailure", 500),
    "cloudwatch": ("InternalServiceFault", 500),
    "sns": ("InternalError", 500),
    "ssm": ("InternalServerError", 500),
    "dynamodb": ("InternalServerError", 500),
    "stepfunctions": ("InternalFailure", 500),
    "ec2": ("InternalError", 500),
    "lambda": ("ServiceException", 500),
}
EXPIRED: _Codes = {
    "autoscaling": ("ExpiredToken", 403),
    "elb": ("ExpiredToken", 403),
    "elbv2": ("ExpiredToken", 403),
    "cloudwatch": ("ExpiredToken", 403),
    "sns": ("ExpiredToken", 403),
    "ssm": ("ExpiredTokenException", 400),
    "dynamodb": ("ExpiredTokenException", 400),
    "stepfunctions": ("ExpiredTokenException", 400),
    "ec2": ("RequestExpired", 400),
}


def _refuse(codes: _Codes) -> Act:
    def act(_struck: Struck, call: HandlerCall, _go: Go) -> Any:
        code, status = codes[call.service]
        raise AwsError(code, "Scripted by the simulation", status)

    return act


def _one(code: str, status: int) -> Act:
    def act(_struck: Struck, _call: HandlerCall, _go: Go) -> Any:
        raise AwsError(code, "Scripted by the simulation", status)

    return act


# The connection, the process, the person ----------------------------------------------------------


def _no_connection(_struck: Struck, call: HandlerCall, _go: Go) -> Any:
    raise NoConnection(call.operation)


def _lose_answer(_struck: Struck, call: HandlerCall, go: Go) -> Any:
    go()
    raise LostAnswer(call.operation)


def _kill_before(_struck: Struck, call: HandlerCall, _go: Go) -> Any:
    raise Killed(f"before {call.operation}")


def _kill_after(_struck: Struck, call: HandlerCall, go: Go) -> Any:
    go()
    raise Killed(f"after {call.operation}")


def _hang(struck: Struck) -> None:
    """Until the function's time is over; the world goes on meanwhile."""
    deadline = struck.world.lambdas.running[-1].deadline
    struck.world.cloud.sleep(max(0.0, deadline - struck.world.now().timestamp()) + 1)
    raise TimedOut


def _hang_before(struck: Struck, _call: HandlerCall, _go: Go) -> Any:
    _hang(struck)


def _hang_after(struck: Struck, _call: HandlerCall, go: Go) -> Any:
    go()
    _hang(struck)


def _stop(struck: Struck, _call: HandlerCall, go: Go) -> Any:
    """A person stops the execution (StopExecution) while its handler makes the call."""
    event = struck.world.lambdas.running[-1].event
    for execution in struck.world.rollouts:
        if execution.name == event.get("rollout") and execution.running:
            execution.abort("", "stopped by hand")
    return go()


# What is read -------------------------------------------------------------------------------------


def _question(call: HandlerCall) -> str:
    return f"{call.operation} {json.dumps(call.params, sort_keys=True, default=str)}"


def _was_asked(struck: Struck, call: HandlerCall) -> bool:
    at, _ = struck.answers.get(_question(call), (None, None))
    return at is not None and struck.world.now() - at <= INCONSISTENT_FOR


def _old_answer(struck: Struck, call: HandlerCall, _go: Go) -> Any:
    """Eventual consistency: the answer that was right up to a minute ago."""
    return struck.answers[_question(call)][1]


# Operation → the list in the answer. Each is called with a paginator.
PAGES = {
    "DescribeAutoScalingGroups": "AutoScalingGroups",
    "DescribeImages": "Images",
    "DescribeInstances": "Reservations",
    "DescribeLaunchTemplateVersions": "LaunchTemplateVersions",
    "DescribeScalingActivities": "Activities",
    "DescribeTags": "Tags",
    "GetParametersByPath": "Parameters",
    "ListCommandInvocations": "CommandInvocations",
}
_PAGED_UNASKED = {"DescribeScalingActivities", "DescribeTags", "GetParametersByPath"}
_BAD_TOKEN = {"ec2": "InvalidNextToken", "autoscaling": "InvalidNextToken"}
_BAD_TOKEN_ELSEWHERE = "InvalidNextToken"


def _comes_in_pages(_struck: Struck, call: HandlerCall) -> bool:
    """Whether the caller asked for the first of its pages: then it may be short."""
    sized = {"MaxResults", "MaxRecords"} & set(call.params)
    return "NextToken" not in call.params and (bool(sized) or call.operation in _PAGED_UNASKED)


def _short_page(struck: Struck, call: HandlerCall, go: Go) -> Any:
    """The first page is empty and names another one, which has everything."""
    answer = go()
    token = f"page {len(struck.pages) + 1}"
    struck.pages[token] = answer
    return {**answer, PAGES[call.operation]: [], "NextToken": token}


def _expired_page(struck: Struck, call: HandlerCall, go: Go) -> Any:
    """The first page is empty, and the token that it names is not taken any more."""
    answer = _short_page(struck, call, go)
    struck.pages[answer["NextToken"]] = AwsError(
        _BAD_TOKEN.get(call.service, _BAD_TOKEN_ELSEWHERE), "The token is expired"
    )
    return answer


def next_page(struck: Struck, call: HandlerCall) -> Any | None:
    """The page that a short one has led to, or ``None`` where the cloud itself must answer."""
    token = call.params.get("NextToken")
    page = struck.pages.pop(token, None) if token else None
    if isinstance(page, AwsError):
        raise page
    return page


# Which kind is possible where ---------------------------------------------------------------------


def is_read(place: Place) -> bool:
    """Reads that AWS may answer from the past; the ledger is read consistently."""
    return (
        place.is_handlers
        and place.service != "dynamodb"
        and place.operation.startswith(("Describe", "Get", "List"))
    )


def _anywhere(_place: Place) -> bool:
    return True


def _in(*services: str) -> Callable[[Place], bool]:
    return lambda place: place.service in services


def _handlers(place: Place) -> bool:
    return place.is_handlers


def _steps(place: Place) -> bool:
    return place.is_handlers and place.function in STEPS


def _paged(place: Place) -> bool:
    return place.is_handlers and place.operation in PAGES


_ALL = (
    Kind("slow down", _anywhere, _refuse(SLOW_DOWN), 12),
    Kind("slow down, as 400", _in("ec2"), _one("RequestLimitExceeded", 400), 12),
    Kind("failure of AWS", _anywhere, _refuse(FAILURE), 12),
    Kind("resource contention", _in("autoscaling"), _one("ResourceContention", 500), 12),
    Kind("credentials expired", _handlers, _refuse(EXPIRED), 2),
    Kind("no connection", _anywhere, _no_connection, 12),
    Kind("answer lost", _anywhere, _lose_answer, 12),
    Kind("killed before", _handlers, _kill_before, 2),
    Kind("killed after", _handlers, _kill_after, 2),
    Kind("timed out before", _handlers, _hang_before, 2),
    Kind("timed out after", _handlers, _hang_after, 2),
    Kind("stopped by hand", _steps, _stop, 0),
    Kind("old answer", is_read, _old_answer, 3, _was_asked),
    Kind("short page", _paged, _short_page, 12, _comes_in_pages),
    Kind("page expired", _paged, _expired_page, 2, _comes_in_pages),
)
KINDS = {kind.name: kind for kind in _ALL}
