"""``docs/approve.md``, for whoever must approve Ovenbird: what each right opens at most.

``python -m tests.template.permissions.approve`` writes the two tables into the page. What there is
comes from the template; what it opens, from here. A function, machine, queue or right that nobody
has judged is a failed test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.template.deployed import ROOT, functions, many, resources, statements
from tests.template.reference import table

PAGE = ROOT / "docs/approve.md"
READING = re.compile(r"[a-z0-9]+:(Describe|Get|List)")
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_POLICY = re.compile(r"```json\n(.*?)```", re.DOTALL)

Right = tuple[str, str]  # action, and on what

# What may be done to what the stack makes, by the type of what is made.
_ON = {
    "AWS::DynamoDB::Table": ("dynamodb:GetItem", "dynamodb:PutItem"),
    "AWS::KMS::Key": ("kms:Decrypt",),
    "AWS::Lambda::Function": ("lambda:InvokeFunction",),
    "AWS::Logs::LogGroup": ("logs:FilterLogEvents",),
    "AWS::SNS::Topic": ("sns:Publish", "sns:Subscribe"),
    "AWS::SQS::Queue": ("sqs:ReceiveMessage", "sqs:SendMessage"),
    "AWS::StepFunctions::StateMachine": (
        "states:StartExecution",
        "states:StopExecution",
        "states:GetExecutionHistory",
    ),
}
# By what a rule of the stack listens to: who can make such an event.
_SOURCES = {
    "aws.autoscaling": ("autoscaling:*", "a fleet's group"),
    "aws.cloudwatch": ("cloudwatch:SetAlarmState", "an alarm of `roll.alarms`"),
    "aws.codebuild": ("codebuild:StartBuild", "a project of `release.codebuild`"),
    "aws.codecommit": ("codecommit:GitPush", "a repository of `release.codecommit`"),
    "aws.codepipeline": ("codepipeline:StartPipelineExecution", "a pipeline that releases"),
    "aws.ec2": ("ec2:StopInstances", "an instance"),
    "aws.ecr": ("ecr:PutImage", "a repository of `release.ecr`"),
    "aws.s3": ("s3:PutObject", "the release bucket"),
    "aws.states": ("states:StopExecution", "RolloutStateMachine"),
    "aws.ssm": ("ssm:PutParameter", "`…/fleets/<fleet>/paused`"),
    "ovenbird": ("events:PutEvents", "the default event bus"),
}
# Beside the stack's own things: what its roles and its code believe.
_BESIDE: tuple[Right, ...] = (
    ("cloudformation:UpdateStack", "the stack"),
    ("ec2:CreateTags", "keys `ovenbird:*`"),
    ("lambda:UpdateFunctionCode", "any function of the stack"),
    ("ssm:GetParameter", "`…/fleets/<fleet>`"),
    ("ssm:PutParameter", "`…/fleets/<fleet>`"),
    ("states:SendTaskFailure", "everything (knows no resources)"),
)
_ROOT = "Root on every fleet"
_STEP = (
    f"{_ROOT}, to be on the safe side: the step refuses a state that the ledger has not sealed, "
    "but that is code. Only the state machine needs it"
)

OPENS: dict[Right, str] = {
    ("lambda:InvokeFunction", "AcceptReleaseFunction"): (
        "Releases, rolls back or stops any fleet by hand: what its document lets requests bring "
        "runs as root on the builder and then on the fleet"
    ),
    ("lambda:InvokeFunction", "PlanRolloutFunction"): (
        "A plan of any fleet, with its document, with `dry_run`. Without it, the fleet's lane: "
        "releases of the fleet wait"
    ),
    ("lambda:InvokeFunction", "BakeImageFunction"): _STEP,
    ("lambda:InvokeFunction", "PublishTemplateFunction"): _STEP,
    ("lambda:InvokeFunction", "RollGroupFunction"): _STEP,
    ("lambda:InvokeFunction", "MoveAddressFunction"): (
        "A fleet's Elastic IPs move between its healthy instances, as they do by themselves"
    ),
    ("lambda:InvokeFunction", "SettleRolloutFunction"): _STEP,
    ("lambda:InvokeFunction", "UndoRolloutFunction"): _STEP,
    ("lambda:InvokeFunction", "RecoverRolloutFunction"): (
        "The undo of a rollout whose execution has died, or a notice that somebody has to look"
    ),
    ("lambda:InvokeFunction", "CheckFleetFunction"): (
        "What is wrong with a document, or what an event would do: it starts and changes nothing"
    ),
    ("lambda:InvokeFunction", "RingDoorbellFunction"): (
        "Rollouts look once more, as often as they are rung, within their pace"
    ),
    ("lambda:InvokeFunction", "AnswerAlarmFunction"): (
        "The same, for fleets that name an alarm in `roll.alarms`"
    ),
    ("states:StartExecution", "RolloutStateMachine"): (
        f"{_ROOT}, to be on the safe side: the plan refuses an input that was not accepted, but "
        "that is code"
    ),
    ("states:StartExecution", "AddressesStateMachine"): "As `MoveAddressFunction`, for some hours",
    ("states:StopExecution", "RolloutStateMachine"): (
        "A rollout ends, and its undo begins as an execution of its own"
    ),
    ("states:StopExecution", "AddressesStateMachine"): "Addresses wait for the next launch",
    ("states:GetExecutionHistory", "RolloutStateMachine"): (
        "Documents, releases, the end of scripts' outputs, and task tokens of waits that run: with "
        "`states:SendTaskFailure` these end a rollout"
    ),
    ("states:GetExecutionHistory", "AddressesStateMachine"): "Who holds which address",
    ("states:SendTaskFailure", "everything (knows no resources)"): (
        "With a task token: a rollout fails and is undone. Without one: nothing"
    ),
    ("events:PutEvents", "the default event bus"): (
        "With the source `ovenbird`: releases of any fleet whose document has `release.events`, of "
        "artefacts that the document names. IAM can fence the source, and no field of the event"
    ),
    ("s3:PutObject", "the release bucket"): (
        "Root on the builder and then on each fleet whose document names the key"
    ),
    ("codebuild:StartBuild", "a project of `release.codebuild`"): (
        "A release of what the build puts out: with the build's source, root on the fleet"
    ),
    ("codecommit:GitPush", "a repository of `release.codecommit`"): (
        "A release of the artefact for that commit: with the artefact, root on the fleet"
    ),
    ("codepipeline:StartPipelineExecution", "a pipeline that releases"): (
        "A release of what the pipeline puts out: with its source, root on the fleet"
    ),
    ("ecr:PutImage", "a repository of `release.ecr`"): (
        "A release of the pushed tag: root wherever the install script runs the image"
    ),
    ("cloudwatch:SetAlarmState", "an alarm of `roll.alarms`"): (
        "A rollout that runs is undone; none begins while the alarm is not `OK`"
    ),
    ("autoscaling:*", "a fleet's group"): "The group itself, without Ovenbird",
    ("ec2:StopInstances", "an instance"): "Of a builder: the bake fails. Of a member: capacity",
    ("ssm:PutParameter", "`…/fleets/<fleet>/paused`"): "No release of the fleet begins",
    ("ssm:PutParameter", "`…/fleets/<fleet>`"): (
        "Root on the fleet: the scripts, and which artefacts and images may come"
    ),
    ("ssm:GetParameter", "`…/fleets/<fleet>`"): (
        "Scripts and names. Every instance with `AmazonSSMManagedInstanceCore` can; no secrets here"
    ),
    ("ec2:CreateTags", "keys `ovenbird:*`"): (
        "What Ovenbird may touch: groups, templates, addresses and instances join a fleet or "
        "leave it"
    ),
    ("dynamodb:GetItem", "Ledger"): "Plans, reasons, the end of outputs; task tokens of waits",
    ("dynamodb:PutItem", "Ledger"): f"{_ROOT}: lanes, records and task tokens are what steps trust",
    ("sns:Publish", "Topic"): "Notices in our name",
    ("sns:Subscribe", "Topic"): "Reads every notice",
    ("sqs:ReceiveMessage", "DeadLetters"): "Reads and, with DeleteMessage, loses failed events",
    ("sqs:SendMessage", "DeadLetters"): "An alarm, and work for whoever replays it",
    ("logs:FilterLogEvents", "FunctionLogs"): "What every function did, without tokens",
    ("logs:FilterLogEvents", "RolloutLogs"): "Which states failed, without their data",
    ("kms:Decrypt", "TopicKey"): "Nothing without the right to read the topic",
    ("lambda:UpdateFunctionCode", "any function of the stack"): f"{_ROOT}, through the roles below",
    ("cloudformation:UpdateStack", "the stack"): f"{_ROOT}, and the roles themselves",
}
# If the code of a function were led by somebody: the most that its role lets happen.
LED: dict[str, str] = {
    "autoscaling:CancelInstanceRefresh": "A refresh of a tagged group stops half way",
    "autoscaling:RollbackInstanceRefresh": "A refresh of a tagged group goes back",
    "autoscaling:StartInstanceRefresh": (
        "A tagged group is rolled to any version of a tagged template that passes only roles of "
        "`InstanceRoleArns`"
    ),
    "autoscaling:UpdateAutoScalingGroup": (
        "Any attribute of a tagged group, sizes too: IAM knows no condition for most of them. The "
        "code writes the version only, and only with `roll.pin`"
    ),
    "dynamodb:UpdateItem": "The ledger's items of the kinds that the function works with",
    "ec2:AssociateAddress": "A tagged Elastic IP moves to any tagged instance",
    "ec2:CreateImage": "An image of a builder",
    "ec2:CreateLaunchTemplateVersion": "Any content in a new version of a tagged template",
    "ec2:CreateTags": "Tags on what is made in the same call; `ovenbird:bad` on a tagged image",
    "ec2:ModifyLaunchTemplate": "Another default version of a tagged template",
    "ec2:RunInstances": (
        "Instances from a tagged template, with roles of `InstanceRoleArns`; a builder with any "
        "image, subnet and security group, all others with what the template names"
    ),
    "ec2:StopInstances": "A builder stops",
    "ec2:TerminateInstances": "A builder ends",
    "iam:PassRole": "The roles of `InstanceRoleArns`, to EC2",
    "lambda:InvokeFunction": "The steps, in the state machines' order",
    "logs:CreateLogDelivery": "Log deliveries, which know no resources",
    "logs:DeleteLogDelivery": "Log deliveries, which know no resources",
    "logs:PutResourcePolicy": "Policies of log groups, which know no resources",
    "logs:UpdateLogDelivery": "Log deliveries, which know no resources",
    "sns:Publish": "Notices in our name",
    "sqs:SendMessage": "Dead letters",
    "ssm:PutParameter": "Another id in `…/fleets/<fleet>/image`, which others may read",
    "ssm:SendCommand": "Any script as root, on builders only",
    "states:SendTaskSuccess": "A wait whose task token is known ends",
    "states:StartExecution": "Rollouts, and runs that look after addresses",
}


def doors() -> Iterator[Right]:
    """Every right on the stack that somebody could be given, each once."""
    found: dict[Right, None] = {}
    for kind, actions in _ON.items():
        for name in resources(kind):
            found.update(dict.fromkeys((action, name) for action in actions))
    for rule in resources("AWS::Events::Rule").values():
        found.update(dict.fromkeys(_SOURCES[source] for source in rule["EventPattern"]["source"]))
    found.update(dict.fromkeys(_BESIDE))
    yield from found


def changing() -> dict[str, list[str]]:
    """The actions of the stack's own roles that change something, and who has them."""
    owners = [*functions().values(), *resources("AWS::StepFunctions::StateMachine")]
    found: dict[str, list[str]] = {}
    for owner in owners:
        granted = {a for each in statements(owner) for a in many(each.get("Action", []))}
        for action in granted:
            if not READING.match(action):
                found.setdefault(action, []).append(owner)
    return dict(sorted(found.items()))


def rights() -> str:
    rows = [(f"`{action}`", _on(what), f"{OPENS[action, what]}.") for action, what in doors()]
    return table(("Right", "On", "Opens at most"), rows)


def led() -> str:
    rows = [
        (f"`{action}`", "<br>".join(f"`{owner}`" for owner in owners), f"{LED[action]}.")
        for action, owners in changing().items()
    ]
    return table(("Action", "Whose role", "If its code were led by somebody"), rows)


TABLES = {"rights": rights, "led": led}


def with_tables(page: str) -> str:
    """The page with its tables written anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", page)


def policy() -> dict[str, Any]:
    """The one policy of the page."""
    (found,) = _POLICY.findall(PAGE.read_text())
    document: dict[str, Any] = json.loads(found)
    return document


def _on(what: str) -> str:
    return f"`{what}`" if re.fullmatch(r"\w+", what) and " " not in what else what


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
