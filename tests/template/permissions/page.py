"""``docs/permissions.md``, from the template: what every role may do, on what, and why.

``python -m tests.template.permissions`` writes the tables into the page, each between two comments;
a test holds the page to them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from tests.template.deployed import (
    REGION,
    ROOT,
    many,
    resources,
    shared_policy,
    translated,
    written,
)
from tests.template.permissions.reasons import OF_AWS, OF_SAM, WHY
from tests.template.reference import table

PAGE = ROOT / "docs/permissions.md"
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_VERBS = {
    "ArnEquals": "is",
    "ArnLike": "is like",
    "Bool": "is",
    "StringEquals": "is",
    "StringLike": "is like",
}
_OPTIONAL = {"HasKmsKey": "With a key.", "HasVolumeKmsKey": "With a key of the volumes."}


def functions() -> str:
    return "\n".join(_functions())


def machines() -> str:
    return "\n".join(_machines())


def rules() -> str:
    return "\n".join(
        _role(name.removesuffix("Role"))
        for name, role in resources("AWS::IAM::Role").items()
        if "events.amazonaws.com" in str(role["AssumeRolePolicyDocument"])
    )


def deploying() -> str:
    """What CloudFormation does in the name of whoever deploys: as its resource types declare."""
    needed: dict[str, set[str]] = defaultdict(set)
    for kind in sorted({each["Type"] for each in translated()["Resources"].values()}):
        for action in _declared(kind):
            needed[action.partition(":")[0]].add(action)
    rows = [
        (f"`{service}`", ", ".join(f"`{each.partition(':')[2]}`" for each in sorted(actions)))
        for service, actions in sorted(needed.items())
    ]
    return table(("Service", "Actions"), rows)


TABLES: dict[str, Callable[[], str]] = {
    each.__name__: each for each in (functions, machines, rules, deploying)
}


def with_tables(page: str) -> str:
    """The page with its tables written anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", page)


def sids() -> set[str]:
    """The names of all statements of the stack's own policies."""
    return {
        str(statement["Sid"])
        for name in resources("AWS::IAM::Role")
        for _, statement in _statements(name.removesuffix("Role"))
        if "Sid" in statement
    }


def _functions() -> Iterator[str]:
    for name, resource in written()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            description = resource["Properties"]["Description"]
            yield f"### {name}\n\n{description}.\n\n{_role(name)}"


def _machines() -> Iterator[str]:
    for name, resource in written()["Resources"].items():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            yield f"### {name}\n\n{_role(name)}"


def _role(owner: str) -> str:
    """A table of what a role may do, without what every function may."""
    rows = [
        (
            _actions(statement["Action"]),
            _resources(statement),
            _conditions(statement.get("Condition", {})),
            _why(policy, statement) + optional,
        )
        for policy, statement in _statements(owner)
        for optional in [f" ({statement['Optional']})" if "Optional" in statement else ""]
        if statement["Effect"] == "Allow" and policy not in OF_AWS
    ]
    return table(("May", "On", "Only if", "Why"), rows)


def _statements(owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a role, intrinsic functions and all, with the name of its policy."""
    role = resources("AWS::IAM::Role")[f"{owner}Role"]
    shared = resources("AWS::IAM::ManagedPolicy")
    for policy in role.get("ManagedPolicyArns", []):
        if name := shared_policy(policy):
            yield from _each(name, shared[name]["PolicyDocument"])
    for policy in role.get("Policies", []):
        yield from _each(policy["PolicyName"], policy["PolicyDocument"])


def _each(policy: str, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for statement in many(document["Statement"]):
        if "Fn::If" in statement:
            condition, optional, _ = statement["Fn::If"]
            yield policy, {**optional, "Optional": _OPTIONAL[condition]}
        else:
            yield policy, statement


def _why(policy: str, statement: dict[str, Any]) -> str:
    if "Sid" in statement:
        return WHY[statement["Sid"]]
    return next(why for ending, why in OF_SAM.items() if policy.endswith(ending))


def _actions(actions: Any) -> str:
    """One service after the other: ``ec2:StopInstances`` `TerminateInstances`."""
    return "<br>".join(f"`{action}`" for action in many(actions))


def _resources(statement: dict[str, Any]) -> str:
    if "NotResource" in statement:
        excepted = ", ".join(_name(each) for each in many(statement["NotResource"]))
        return f"everything but {excepted}"
    return "<br>".join(_name(each) for each in many(statement["Resource"]))


def _name(resource: Any) -> str:
    """As much of an ARN as tells; a resource of the stack by its logical id."""
    if resource == "*":
        return "everything"
    if "Ref" in resource:
        return str(resource["Ref"])
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    name = re.sub(r"^arn:[^:]*:[^:]*:[^:]*:[^:]*:", "", _plain(resource["Fn::Sub"]))
    return f"`{name}`"


def _plain(text: str) -> str:
    pseudo = {"StackName": "stack"}
    return re.sub(r"\$\{AWS::(\w+)\}", lambda found: f"<{pseudo.get(found[1], found[1])}>", text)


def _conditions(conditions: dict[str, Any]) -> str:
    return "<br>".join(
        _condition(operator, key, values)
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _condition(operator: str, key: str, values: Any) -> str:
    kind, _, tag = key.partition("/")
    if operator == "Null":
        return f"it is not tagged `{tag}`"
    if values == "?*":
        return f"it is tagged `{tag}`" if "Resource" in kind else f"it gets the tag `{tag}`"
    shown = " or ".join(_value(value) for value in many(values))
    if tag:
        what = "it is tagged" if "esourceTag" in kind else "it gets the tag"
        return f"{what} `{tag}` = {shown}"
    only = "every " if operator.startswith("ForAllValues:") else ""
    verb = _VERBS[operator.removeprefix("ForAllValues:")]
    return f"{only}`{key}` {verb} {shown}"


def _value(value: Any) -> str:
    return _name(value) if isinstance(value, dict) else f"`{value}`"


def _declared(kind: str) -> Iterable[str]:
    """The handlers' permissions, of the type's own service: others belong to features not used."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"]
    service = {"StepFunctions": "states"}.get(kind.split("::")[1], kind.split("::")[1].lower())
    for name, handler in handlers.items():
        for action in handler["permissions"]:
            own = action.startswith(f"{service}:")
            if name != "list" and (own or action == "iam:PassRole"):
                yield action
