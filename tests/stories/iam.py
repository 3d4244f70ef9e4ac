"""IAM within a story: a call that the caller's role does not allow fails as it does on AWS.

The roles are those of the translated template. The evaluator knows what our policies use and is
held to one that nobody here wrote (:mod:`tests.template.test_iam_in_stories`). A story opts in::

    with a_fleet() as web:
        iam.enforce(web.world)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sandbox.cloud.errors import AwsError
from tests.stories.calls import Go, HandlerCall
from tests.stories.world import STATE_MACHINE, World
from tests.template.deployed import functions, many
from tests.template.permissions.asks import Ask, asks
from tests.template.permissions.roles import Policy, Role, resolver, roles

MACHINE = "RolloutStateMachine"
Context = Mapping[str, tuple[str, ...]]


def enforce(world: World, **parameters: Any) -> None:
    """From now on, every call of a function or state machine is asked about first.

    Args:
        parameters: Of the stack; the others have their defaults.
    """
    stack, before = roles(**parameters), world.interference

    def judged(call: HandlerCall, go: Go) -> Any:
        if call.service == "lambda":
            arn = resolver().resolve({"Fn::GetAtt": [functions()[call.function], "Arn"]})
            owner, asked = MACHINE, [Ask("lambda:InvokeFunction", arn)]
            if call.function == "move_address":  # both machines invoke it
                return before(call, go)
        else:
            machine = call.function == STATE_MACHINE
            owner = MACHINE if machine else functions()[call.function]
            asked = [*asks(world.cloud, call.service, call.operation, call.params)]
        for ask in asked:
            if not allows(stack[owner], ask):
                raise denial(stack[owner], call, ask)
        return before(call, go)

    world.interference = judged


def denial(role: Role, call: HandlerCall, ask: Ask) -> AwsError:
    """What AWS answers to a call that IAM does not allow.

    Source: EC2 API reference, "Error codes"; "Common errors" of the others' API references. The
    dry run of a launch says the same whatever it lacks (EC2 Auto Scaling user guide, Troubleshoot
    launch templates).
    """
    if ask.also and call.service == "autoscaling":
        return AwsError("AccessDenied", "You are not authorized to use launch template: lt-…", 403)
    code, status = {
        "dynamodb": ("AccessDeniedException", 400),
        "ec2": ("UnauthorizedOperation", 403),
        "lambda": ("AccessDeniedException", 403),
        "sns": ("AuthorizationError", 403),
        "ssm": ("AccessDeniedException", 400),
        "stepfunctions": ("AccessDeniedException", 400),
    }.get(call.service, ("AccessDenied", 403))
    return AwsError(
        code,
        f"User: {role.owner} is not authorized to perform: {ask.action} on resource: "
        f"{ask.resource} because no identity-based policy allows the {ask.action} action",
        status,
    )


def allows(role: Role, ask: Ask) -> bool:
    """Whether the role's policies allow it; an explicit Deny counts more than any Allow."""
    context = dict(ask.context)
    effects = {
        statement["Effect"]
        for policy in role.policies.values()
        for statement in many(policy["Statement"])
        if _matches(statement, ask, context)
    }
    return effects == {"Allow"}


def _matches(statement: Policy, ask: Ask, context: Context) -> bool:
    if not any(_like(ask.action.lower(), each.lower()) for each in many(statement["Action"])):
        return False
    if "NotResource" in statement:
        if any(_like(ask.resource, each) for each in many(statement["NotResource"])):
            return False
    elif not any(_like(ask.resource, each) for each in many(statement["Resource"])):
        return False
    return all(
        _holds(operator, context.get(key), [str(value) for value in many(wanted)])
        for operator, tests in statement.get("Condition", {}).items()
        for key, wanted in tests.items()
    )


def _holds(operator: str, values: tuple[str, ...] | None, wanted: list[str]) -> bool:
    """Source: IAM user guide, "Condition operators", and "Multivalued context keys"."""
    quantifier, _, plain = operator.rpartition(":")
    if plain == "Null":
        return (values is None) == (wanted == ["true"])
    if quantifier == "ForAllValues":
        return all(_one(plain, value, wanted) for value in values or ())
    if quantifier:
        raise NotImplementedError(operator)
    return values is not None and any(_one(plain, value, wanted) for value in values)


def _one(operator: str, value: str, wanted: Iterable[str]) -> bool:
    return any(_OPERATORS[operator](value, each) for each in wanted)


@lru_cache(4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def _like(value: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(value) is not None


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": _like,
    "StringNotEquals": lambda value, wanted: value != wanted,
}
