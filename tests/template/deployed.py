"""The template as CloudFormation gets it: SAM translated away by aws-sam-translator.

Intrinsic functions stay as they are; the tests here ask about shape, not about values.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
MACHINES = {"RolloutStateMachine": "rollout", "AddressesStateMachine": "addresses"}
_CODE = ("CodeUri", "ContentUri")


@cache
def written() -> dict[str, Any]:
    """The template as it is written."""
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return document


@cache
def translated() -> dict[str, Any]:
    """The template without SAM; code is where ``sam package`` would put it."""
    document: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        properties.update({name: "s3://bucket/key" for name in _CODE if name in properties})
        if "DefinitionS3Location" in properties:
            properties["DefinitionS3Location"] = {"Bucket": "bucket", "Key": "key"}
    session = Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    result: dict[str, Any] = translator.translate(document, {})
    return result


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every translated resource of this type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in translated()["Resources"].items()
        if resource["Type"] == kind
    }


@cache
def machine(name: str) -> dict[str, Any]:
    """A state machine's definition, placeholders and all."""
    document: dict[str, Any] = json.loads((ROOT / f"statemachine/{name}.asl.json").read_text())
    return document


# States that run another one's function, at another moment.
ALSO = {"TryAddress": "MoveAddress", "ReturnAddress": "MoveAddress"}


def step_of(function: str) -> str:
    """``BakeImageFunction`` or ``BakeImage`` → ``bake_image``."""
    name = function.removesuffix("Function")
    words = re.findall("[A-Z][a-z0-9]*", ALSO.get(name, name))
    return "_".join(words).lower()


def functions() -> dict[str, str]:
    """Every step and its function's logical id."""
    return {step_of(name): name for name in resources("AWS::Lambda::Function")}


def statements(function: str) -> list[dict[str, Any]]:
    """What the role of a function or state machine allows: its own statements, and those of the
    managed policies of this stack. AWS's managed policies (logs, traces) are left out, and what
    only a stack with a key of its own has.
    """
    role = resources("AWS::IAM::Role")[f"{function}Role"]
    shared = resources("AWS::IAM::ManagedPolicy")
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    documents += [
        shared[name]["PolicyDocument"]
        for policy in role["ManagedPolicyArns"]
        for name in [shared_policy(policy)]
        if name
    ]
    return [
        statement
        for document in documents
        for statement in many(document["Statement"])
        if statement.get("Effect") == "Allow"
    ]


def shared_policy(policy: Any) -> str:
    """The logical id of a managed policy of the stack, also of one that a condition adds."""
    if isinstance(policy, dict) and "Fn::If" in policy:
        policy = policy["Fn::If"][1]
    return str(policy["Ref"]) if isinstance(policy, dict) and "Ref" in policy else ""


def many(value: Any) -> list[Any]:
    """IAM writes one thing as itself and several as a list."""
    return value if isinstance(value, list) else [value]


def targets_of(rule: dict[str, Any]) -> list[str]:
    """The logical ids of the functions or state machines that a rule starts."""
    return [
        arn["Ref"] if "Ref" in arn else arn["Fn::GetAtt"][0]
        for arn in (target["Arn"] for target in rule["Targets"])
    ]
