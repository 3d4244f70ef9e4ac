"""CloudFormation's intrinsic functions, for a translated template whose resources are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT, REGION = "000000000000", "us-east-1"


def arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


# What Ref and GetAtt Arn give, by type.
_REF: dict[str, Callable[[str], str]] = {
    "AWS::StepFunctions::StateMachine": lambda name: arn("states", f"stateMachine:{name}"),
    "AWS::SNS::Topic": lambda name: arn("sns", name),
    "AWS::SQS::Queue": lambda name: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}",
}
_ARN: dict[str, Callable[[str], str]] = {
    "AWS::Lambda::Function": lambda name: arn("lambda", f"function:{name}"),
    "AWS::StepFunctions::StateMachine": lambda name: arn("states", f"stateMachine:{name}"),
    "AWS::SNS::Topic": lambda name: arn("sns", name),
    "AWS::SQS::Queue": lambda name: arn("sqs", name),
    "AWS::DynamoDB::Table": lambda name: arn("dynamodb", f"table/{name}"),
    "AWS::IAM::Role": lambda name: arn("iam", f"role/{name}", region=""),
    "AWS::Logs::LogGroup": lambda name: arn("logs", f"log-group:{name}:*"),
    "AWS::KMS::Key": lambda name: arn("kms", f"key/{name}"),
    "AWS::Events::Rule": lambda name: arn("events", f"rule/{name}"),
}
# Where a type's physical name is written; without it, the logical name stands in for it.
_NAMED = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Logs::LogGroup": "LogGroupName",
}
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::StackName": "ovenbird",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": arn("cloudformation", "stack/ovenbird/1"),
}
# What every deployment has to be given.
_GIVEN = {"InstanceRoleArns": [arn("iam", "role/web", region="")]}
_DROPPED = object()


@dataclass(frozen=True)
class Resolver:
    """Fills in a template's references; parameters have their default values, or _GIVEN ones."""

    template: Mapping[str, Any]

    def resolve(self, value: Any) -> Any:
        """The value without intrinsic functions; ``AWS::NoValue`` drops its key."""
        resolved = self._resolve(value)
        assert resolved is not _DROPPED
        return resolved

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for part in value if (item := self._resolve(part)) is not _DROPPED]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, argument)
        filled = {key: self._resolve(part) for key, part in value.items()}
        return {key: part for key, part in filled.items() if part is not _DROPPED}

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return _DROPPED if argument == "AWS::NoValue" else self._ref(argument)
        if name == "Fn::GetAtt":
            return self._attribute(argument if isinstance(argument, str) else ".".join(argument))
        if name == "Fn::Sub":
            return self._substituted(*(argument if isinstance(argument, list) else [argument]))
        if name == "Fn::If":
            condition, yes, no = argument
            return self._resolve(yes if self._holds(condition) else no)
        if name == "Fn::Join":
            return argument[0].join(self.resolve(argument[1]))
        raise NotImplementedError(f"{name} is not known to the stories")

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self.template.get("Parameters", {}):
            return self.template["Parameters"][name].get("Default", _GIVEN.get(name, ""))
        kind = self.template["Resources"][name]["Type"]
        return _REF.get(kind, str)(self._physical(name))

    def _attribute(self, path: str) -> str:
        name, attribute = path.split(".")
        kind = self.template["Resources"][name]["Type"]
        if attribute != "Arn":
            return self._physical(name)  # such as TopicName
        return _ARN[kind](self._physical(name))

    def _physical(self, name: str) -> str:
        resource = self.template["Resources"][name]
        written = resource.get("Properties", {}).get(_NAMED.get(resource["Type"], ""))
        return str(self.resolve(written)) if written else name

    def _substituted(self, text: str, values: Mapping[str, Any] | None = None) -> str:
        given = {name: self.resolve(value) for name, value in (values or {}).items()}

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return str(given[name])
            return self._attribute(name) if "." in name else str(self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", fill, text)

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, str):
            return self._holds(self.template["Conditions"][condition])
        ((name, parts),) = condition.items()
        if name == "Condition":
            return self._holds(parts)
        if name == "Fn::Equals":
            return bool(self.resolve(parts[0]) == self.resolve(parts[1]))
        if name == "Fn::Not":
            return not self._holds(parts[0])
        if name in ("Fn::And", "Fn::Or"):
            return (all if name == "Fn::And" else any)(self._holds(part) for part in parts)
        raise NotImplementedError(f"{name} is not known to the stories")
