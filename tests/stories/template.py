"""What the real template deploys, as far as a story needs it: functions, machines, rules.

The template is translated by aws-sam-translator, as a deployment does it, once for all stories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.stories.intrinsics import REGION, Resolver

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Function:
    """A Lambda function: where its code lies and how it is run."""

    name: str
    arn: str
    folder: Path
    environment: Mapping[str, str] = field(hash=False)
    timeout_seconds: int
    retries: int  # of an asynchronous invocation


@dataclass(frozen=True)
class Target:
    """Where a rule sends what it matches; empty texts mean the event as it is."""

    arn: str
    input_path: str = ""
    input: str = ""


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule on the default bus; ``pattern`` is its JSON text."""

    name: str
    pattern: str
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Deployment:
    """The stack; functions and machines by ARN."""

    functions: Mapping[str, Function]
    machines: Mapping[str, dict[str, Any]]
    rules: tuple[Rule, ...]
    table: str
    topic: str

    def function(self, folder: str) -> Function:
        """The function whose code lies in ``functions/<folder>``."""
        return next(f for f in self.functions.values() if f.folder.name == folder)

    def machine(self, name: str) -> str:
        """The ARN of the machine whose name ends so."""
        return next(arn for arn in self.machines if arn.endswith(f"-{name}"))


@cache
def deployment() -> Deployment:
    """The stack that ``template.yaml`` makes with the defaults of its parameters."""
    sources, template = _translated()
    resolver = Resolver(template)
    resources: dict[str, Any] = template["Resources"]
    of: dict[str, dict[str, Any]] = {}
    for name, resource in resources.items():
        of.setdefault(resource["Type"], {})[name] = resource.get("Properties", {})
    retries = _async_retries(resolver, of.get("AWS::Lambda::EventInvokeConfig", {}))
    functions = [
        _function(resolver, name, properties, ROOT / sources[name], retries.get(name, 2))
        for name, properties in of["AWS::Lambda::Function"].items()
    ]
    (table,) = of["AWS::DynamoDB::Table"]
    (topic,) = of["AWS::SNS::Topic"]
    return Deployment(
        functions={function.arn: function for function in functions},
        machines={
            resolver.resolve({"Ref": name}): _machine(resolver, properties, sources[name])
            for name, properties in of["AWS::StepFunctions::StateMachine"].items()
        },
        rules=tuple(_rule(resolver, name, rule) for name, rule in of["AWS::Events::Rule"].items()),
        table=table,
        topic=resolver.resolve({"Ref": topic}),
    )


def _translated() -> tuple[dict[str, str], dict[str, Any]]:
    """The local sources by resource, and the template without SAM.

    The translator wants code in S3; where it lies locally is kept aside.
    """
    document = yaml_parse((ROOT / "template.yaml").read_text())
    everywhere = document.get("Globals", {}).get("Function", {})
    sources: dict[str, str] = {}
    for name, resource in document["Resources"].items():
        properties = resource.get("Properties", {})
        location = properties.get("DefinitionS3Location")
        if isinstance(location, str):
            sources[name] = location
            properties["DefinitionS3Location"] = {"Bucket": "bucket", "Key": "key"}
        for key in ("CodeUri", "ContentUri"):
            value = properties.get(key, everywhere.get(key) if key == "CodeUri" else None)
            if resource["Type"].startswith("AWS::Serverless::") and isinstance(value, str):
                sources[name] = value
                properties[key] = "s3://bucket/key"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    translated = translator.translate(document, {"AWS::Region": REGION})
    return sources, translated


def _function(
    resolver: Resolver, name: str, properties: dict[str, Any], folder: Path, retries: int
) -> Function:
    variables = resolver.resolve(properties.get("Environment", {}).get("Variables", {}))
    return Function(
        name=name,
        arn=resolver.resolve({"Fn::GetAtt": [name, "Arn"]}),
        folder=folder,
        environment={key: str(value) for key, value in variables.items()},
        timeout_seconds=properties.get("Timeout", 3),
        retries=retries,
    )


def _async_retries(resolver: Resolver, configurations: dict[str, Any]) -> dict[str, int]:
    return {
        resolver.resolve(properties["FunctionName"]).split(":")[-1]: properties.get(
            "MaximumRetryAttempts", 2
        )
        for properties in configurations.values()
    }


def _machine(resolver: Resolver, properties: dict[str, Any], source: str) -> dict[str, Any]:
    text = (ROOT / source).read_text()
    for name, value in resolver.resolve(properties["DefinitionSubstitutions"]).items():
        text = text.replace("${" + name + "}", value)
    if left := re.findall(r"\$\{\w+\}", text):
        raise AssertionError(f"{source}: the template substitutes nothing for {left}")
    document: dict[str, Any] = json.loads(text)
    return document


def _rule(resolver: Resolver, name: str, properties: dict[str, Any]) -> Rule:
    unknown = set(properties) - {"EventPattern", "Targets", "State", "Name", "Description"}
    assert not unknown, f"{name}: {unknown} not known to the stories"
    targets = []
    for target in resolver.resolve(properties["Targets"]):
        unknown = set(target) - {
            "Arn",
            "Id",
            "Input",
            "InputPath",
            "RoleArn",
            "RetryPolicy",
            "DeadLetterConfig",
        }
        assert not unknown, f"{name}: {unknown} not known to the stories"
        targets.append(Target(target["Arn"], target.get("InputPath", ""), target.get("Input", "")))
    return Rule(name, json.dumps(resolver.resolve(properties["EventPattern"])), tuple(targets))
