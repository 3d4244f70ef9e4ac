"""The roles of the template, as IAM gets them: policies without intrinsic functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.stories.intrinsics import Resolver
from tests.template.deployed import many, resources, translated

Policy = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """A role; ``owner`` is the function, machine or rule that has it, by logical id.

    ``boundary`` is the ARN of its permissions boundary, empty without one.
    """

    owner: str
    policies: Mapping[str, Policy]  # by name
    boundary: str = ""


@dataclass(frozen=True)
class Grain:
    """The smallest thing that a policy grants: one action on one resource entry, with its fence.

    Where a condition lists values of which one has to hold, each is a grain of its own.

    ``resource`` is what is written after Resource, or after ``not `` what is not meant.
    """

    owner: str
    policy: str
    sid: str
    action: str
    resource: str
    condition: str  # JSON, empty without one

    def statement(self) -> Policy:
        """A statement that grants this and nothing else."""
        excepted = self.resource.startswith("not ")
        resource = self.resource.removeprefix("not ").split(" ") if excepted else self.resource
        return {
            "Effect": "Allow",
            "Action": self.action,
            ("NotResource" if excepted else "Resource"): resource,
            **({"Condition": json.loads(self.condition)} if self.condition else {}),
        }


@cache
def resolver(parameters: tuple[tuple[str, Any], ...] = ()) -> Resolver:
    """For the stack with these parameters; the others have their defaults."""
    template = dict(translated())
    given = dict(parameters)
    template["Parameters"] = {
        name: parameter | ({"Default": given[name]} if name in given else {})
        for name, parameter in template["Parameters"].items()
    }
    assert set(given) <= set(template["Parameters"])
    return Resolver(template)


def roles(**parameters: Any) -> dict[str, Role]:
    """Every role of the stack with these parameters, by owner."""
    given = tuple(
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in parameters.items()
    )
    fill = resolver(given).resolve
    shared = resources("AWS::IAM::ManagedPolicy")
    found = {}
    for name, role in resources("AWS::IAM::Role").items():
        policies: dict[str, Policy] = {
            policy["PolicyName"]: policy["PolicyDocument"]
            for policy in fill(role.get("Policies", []))
        }
        for policy in fill(role.get("ManagedPolicyArns", [])):
            if policy in shared:
                policies[policy] = fill(shared[policy]["PolicyDocument"])
            else:
                policies[policy.split("/")[-1]] = _of_aws(policy)
        owner = name.removesuffix("Role")
        boundary = {"PermissionsBoundary": role.get("PermissionsBoundary", "")}
        found[owner] = Role(owner, policies, fill(boundary).get("PermissionsBoundary", ""))
    return found


def grains(role: Role) -> Iterator[Grain]:
    """Everything that a role's policies grant; what they deny without condition is left out."""
    statements = [
        (name, statement)
        for name, policy in role.policies.items()
        for statement in many(policy["Statement"])
    ]
    never = {
        action
        for _, statement in statements
        if statement["Effect"] == "Deny" and statement.get("Resource") == "*"
        for action in many(statement["Action"])
    }
    for name, statement in statements:
        if statement["Effect"] != "Allow":
            continue
        conditions = [*_one_by_one(statement.get("Condition", {}))]
        excepted = many(statement.get("NotResource", []))
        entries = ["not " + " ".join(excepted)] if excepted else many(statement["Resource"])
        sid = statement.get("Sid", "")
        for action, entry, condition in product(many(statement["Action"]), entries, conditions):
            if action not in never:
                yield Grain(role.owner, name, sid, action, entry, condition)


def _one_by_one(conditions: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The condition as JSON, once for every choice of one value for each key.

    ``ForAllValues`` compares a list with a list: it stays whole.
    """
    tests = [
        [(operator, key, value) for value in ([values] if ":" in operator else many(values))]
        for operator, keys in conditions.items()
        for key, values in keys.items()
    ]
    for chosen in product(*tests):
        found: dict[str, dict[str, Any]] = {}
        for operator, key, value in chosen:
            found.setdefault(operator, {})[key] = value
        yield json.dumps(found) if found else ""


@cache
def _of_aws(arn: str) -> Policy:
    """One of AWS's own managed policies, as moto ships them."""
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    document: Policy = policies[arn.split("/")[-1]]["Document"]
    return document
