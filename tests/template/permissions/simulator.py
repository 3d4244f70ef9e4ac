"""Asks ``@cloud-copilot/iam-simulate``, an evaluator of IAM that nobody here wrote, offline.

One Node process answers many questions. What AWS itself publishes (parameters, documents) has ARNs
without an account, which the evaluator does not know; both sides get the same made-up one. Nor does
it know the keys of a KMS encryption context; others of the same type stand in for them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.stories.intrinsics import ACCOUNT
from tests.template.deployed import ROOT
from tests.template.permissions.asks import Ask
from tests.template.permissions.roles import Policy, Role

ALLOWED = "Allowed"
_OF_AWS = re.compile(r"(arn:aws:ssm:[a-z0-9-]+:):(?=parameter/aws/|document/AWS-)")


@dataclass(frozen=True)
class Question:
    """``policies`` names what decides: see :func:`decide`."""

    policies: str
    ask: Ask
    principal: str = f"arn:aws:iam::{ACCOUNT}:role/asking"


@dataclass(frozen=True)
class Answer:
    """``ignored`` are context keys that the action does not know: a mistake in the question."""

    result: str
    ignored: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.result == ALLOWED

    @property
    def denied(self) -> bool:
        """Denied by IAM, and not merely not understood."""
        return self.result.endswith("Denied")


@dataclass(frozen=True)
class Action:
    """What the Service Authorization Reference says of an action."""

    level: str  # Read, List, Write, Tagging, Permissions management
    resources: tuple[str, ...]  # types; none where only ``*`` can be written

    @property
    def changes(self) -> bool:
        return self.level not in ("Read", "List")


def of_roles(roles: Iterable[Role]) -> dict[str, dict[str, Any]]:
    """Policies by owner, as :func:`decide` takes them."""
    return {role.owner: {"identity": list(role.policies.values())} for role in roles}


def of_statement(statement: Policy) -> dict[str, Any]:
    return {"identity": [{"Version": "2012-10-17", "Statement": [statement]}]}


def decide(
    policies: Mapping[str, Mapping[str, Any]], questions: Sequence[Question]
) -> tuple[list[Answer], dict[str, Action]]:
    """The answers in the order of the questions, and what is known of their actions.

    Args:
        policies: By name, each with ``identity`` and ``boundary`` (lists) and ``resource``.
    """
    asked = {
        "policies": policies,
        "requests": [
            {
                "policies": question.policies,
                "principal": question.principal,
                "account": ACCOUNT,
                "action": question.ask.action,
                "resourcePolicy": _KEY_POLICY if question.ask.action.startswith("kms:") else None,
                "resource": question.ask.resource,
                "context": {
                    key: list(values) if len(values) > 1 or key in _LISTS else values[0]
                    for key, values in question.ask.context
                },
            }
            for question in questions
        ],
    }
    node, script = ROOT / ".venv/bin/node", ROOT / "tests/template/permissions/simulate.mjs"
    done = subprocess.run(
        [str(node), str(script)],
        input=_known(json.dumps(asked)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    return (
        [Answer(each["result"], tuple(each["ignored"])) for each in answered["answers"]],
        {
            name: Action(known["level"], tuple(known["resources"]))
            for name, known in answered["actions"].items()
        },
    )


def _known(text: str) -> str:
    for key, known in _STAND_INS.items():
        text = text.replace(f'"{key}"', f'"{known}"')
    return _OF_AWS.sub(r"\g<1>999999999999:", text)


# Single texts of kms:Decrypt and kms:GenerateDataKey, which no policy of ours uses.
_STAND_INS = {
    "kms:EncryptionContext:SourceArn": "kms:RecipientAttestation:ImageSha384",
    "kms:EncryptionContext:aws:states:stateMachineArn": "kms:RequestAlias",
}
_LISTS = {"aws:TagKeys", "dynamodb:LeadingKeys", "events:detail-type", "events:source"}
# A key lets nobody in whom its policy does not; this one leaves it to the account's own policies.
_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
