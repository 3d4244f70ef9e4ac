"""What the code calls = what its docstrings declare = what the template allows."""

from __future__ import annotations

import ast
import fnmatch
from typing import Any

import pytest

from tests.template import calls
from tests.template.deployed import ROOT, functions, many, resources, statements
from tests.template.permissions import page, reasons

STEPS = sorted(functions())
TAG = "ovenbird:fleet"
# Service Authorization Reference: actions that know no resources. What they change is guarded
# otherwise: a task token is a capability.
WITHOUT_RESOURCES = {"states:SendTaskSuccess"}
READING = ("*:Describe*", "*:Get*", "*:List*")
# What a launch uses without changing it needs no tag: the launch itself does.
ANY_TAG = {f"aws:ResourceTag/{TAG}": "?*"}


def allowed(step: str) -> set[str]:
    """Without what SAM adds, so that Lambda can use the failure destination."""
    return {
        action
        for statement in statements(functions()[step])
        for action in many(statement["Action"])
        if statement["Effect"] == "Allow" and action != "sqs:SendMessage"
    }


def changing(statement: dict[str, Any]) -> list[str]:
    return [
        action
        for action in many(statement["Action"])
        if not any(fnmatch.fnmatchcase(action, pattern) for pattern in READING)
    ]


def everywhere(resource: Any) -> bool:
    """Whether an ARN leaves open which thing of its kind is meant."""
    text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
    return str(text).endswith("*")


@pytest.mark.parametrize("step", STEPS)
def test_a_role_allows_what_its_step_does_and_nothing_else(step: str) -> None:
    assert allowed(step) == calls.actions(step)


@pytest.mark.parametrize("step", STEPS)
def test_a_function_warms_the_clients_that_its_step_uses(step: str) -> None:
    tree = ast.parse((ROOT / f"functions/{step}/app.py").read_text())
    (warm,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "clients.warm"
    )
    assert [ast.literal_eval(argument) for argument in warm.args] == sorted(calls.clients(step))


def test_the_vendored_models_are_those_of_the_clients_used() -> None:
    kept = (ROOT / "layers/vendor/services.txt").read_text().split()
    assert kept == sorted(set[str]().union(*(calls.clients(step) for step in STEPS)))


@pytest.mark.parametrize(
    "name",
    [name for name, each in calls.definitions().items() if each.declared],
    ids=".".join,
)
def test_an_adapter_declares_what_it_calls(name: calls.Name) -> None:
    called = {call for each in calls.reached(*name) for call in calls.definitions()[each].calls}
    assert calls.definitions()[name].declared == called


def test_every_call_is_declared_by_somebody() -> None:
    """A private function may call for a public one; a public one says so itself."""
    silent = [
        ".".join(name)
        for name, each in calls.definitions().items()
        if each.calls and not each.declared and not name[1].startswith("_")
    ]
    assert silent == []


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_changed_that_is_not_named_or_tagged(step: str) -> None:
    for statement in statements(functions()[step]):
        actions = set(changing(statement)) - WITHOUT_RESOURCES
        anywhere = "NotResource" in statement or any(
            everywhere(resource) for resource in many(statement.get("Resource", []))
        )
        if actions and anywhere and "Condition" not in statement:
            # Parameters and executions lie under a prefix of our own.
            assert statement["Sid"] in {"PublishedImage"}, (statement["Sid"], actions)


@pytest.mark.parametrize("step", STEPS)
def test_no_action_is_a_wildcard(step: str) -> None:
    assert [action for action in allowed(step) if "*" in action] == []


@pytest.mark.parametrize(
    "action",
    [
        "autoscaling:RollbackInstanceRefresh",
        "autoscaling:StartInstanceRefresh",
        "autoscaling:UpdateAutoScalingGroup",
        "ec2:AssociateAddress",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:ModifyLaunchTemplate",
    ],
)
def test_only_what_is_tagged_is_changed(action: str) -> None:
    granting = [
        statement
        for step in STEPS
        for statement in statements(functions()[step])
        if action in many(statement["Action"])
    ]
    assert granting
    assert all(each["Condition"] == {"StringLike": ANY_TAG} for each in granting)


@pytest.mark.parametrize("action", ["ec2:StopInstances", "ec2:TerminateInstances"])
def test_only_builders_are_stopped_and_terminated(action: str) -> None:
    granting = [
        statement
        for step in STEPS
        for statement in statements(functions()[step])
        if action in many(statement["Action"])
    ]
    assert granting
    builder = {
        "StringEquals": {"aws:ResourceTag/ovenbird:role": "builder"},
        "Null": {"aws:ResourceTag/aws:autoscaling:groupName": "true"},
    }
    assert all(each["Condition"] == builder for each in granting)


def test_roles_are_passed_to_instances_only() -> None:
    passing = [
        statement
        for step in STEPS
        for statement in statements(functions()[step])
        if "iam:PassRole" in many(statement["Action"])
    ]
    assert passing
    ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert all(statement["Condition"] == ec2 for statement in passing)


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [str(function["Role"]) for function in resources("AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(STEPS)


def test_the_page_says_what_the_template_allows() -> None:
    """``python -m tests.template.permissions`` writes it."""
    text = page.PAGE.read_text()
    assert page.with_tables(text) == text
    assert [text.count(f"<!-- table: {name} -->") for name in page.TABLES] == [1] * 4


def test_every_statement_says_why_it_is_there() -> None:
    assert set(reasons.WHY) == page.sids()


@pytest.mark.parametrize("step", STEPS)
def test_a_role_reaches_the_items_that_its_step_works_with(step: str) -> None:
    """The condition of the template names the keys of every ledger module that the step calls."""
    items = {
        "claims": {"address#*"},
        "documents": {"documents#*"},
        "doorbells": {"doorbell#*"},
        "images": {"images#*"},
        "lanes": {"lane#*"},
        "orders": {"order#*", "rollout#*"},
        "rollouts": {"fleet#*", "rollout#*"},
        "told": {"told#*"},
        "watches": {"watch#*"},
    }
    worked_with = set[str]()
    for name in calls.reached(f"ovenbird.steps.{step}", "step"):
        package, _, module = name[0].rpartition(".")
        if package == "ovenbird.ledger" and module in items and calls.definitions()[name].declared:
            worked_with |= items[module]
    (statement,) = (
        each for each in statements(functions()[step]) if each.get("Sid") == "LedgerItems"
    )
    allowed = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert set(allowed) == worked_with
