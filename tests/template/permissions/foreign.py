"""What no role may do: made from what was recorded, and what nobody here has any business with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.stories.intrinsics import REGION, arn
from tests.template.permissions.asks import Ask, Context
from tests.template.permissions.recording import Recorded
from tests.template.permissions.roles import Grain

STRANGER = "acme"
_ANY = "?*"  # a pattern of ours for any value but none
_ALL_OF = "ForAllValues:"  # an operator that a key that is missing satisfies


@dataclass(frozen=True)
class Foreign:
    """Something that must be denied, and in which way it is not ours."""

    owner: str
    ask: Ask
    because: str


def kinds(recorded: Iterable[Recorded]) -> list[Recorded]:
    """One of each kind: the same action on the same sort of resource, in the same context."""
    found: dict[tuple[object, ...], Recorded] = {}
    for one in recorded:
        keys = tuple(sorted(key for key, _ in one.ask.context))
        items = tuple(
            value[0].partition("#")[0]
            for key, value in one.ask.context
            if key == "dynamodb:LeadingKeys"
        )
        shape = stranger(one.ask.resource)
        found.setdefault((one.owner, one.ask.action, shape, keys, items), one)
    return list(found.values())


def of_strangers(recorded: Iterable[Recorded]) -> Iterator[Foreign]:
    """The same action on the same sort of thing, which is not named and not tagged as ours."""
    for one in recorded:
        if one.ask.resource != "*":
            yield Foreign(one.owner, twin(one.ask), "somebody else's")


def twin(ask: Ask) -> Ask:
    """What a stranger would ask: of a thing of his own, without any of our context."""
    ours: Context = tuple(
        (key, (f"{STRANGER}#1",)) for key, _ in ask.context if key == "dynamodb:LeadingKeys"
    )
    return Ask(ask.action, stranger(ask.resource), ours)


def stranger(resource: str) -> str:
    """The ARN of a thing of the same kind that belongs to somebody else in this account."""
    if resource == "*":
        return resource
    _, _, service, region, _, name = resource.split(":", 5)
    kind = name.partition("/")[0] if service != "autoscaling" else "autoScalingGroup"
    match service, kind:
        case "ec2", "image" | "snapshot":
            return f"arn:aws:ec2:{region}::{kind}/{kind}-{STRANGER}"
        case "autoscaling", _:
            return arn(service, f"autoScalingGroup:uuid:autoScalingGroupName/{STRANGER}")
        case "states", _:
            machine = name.split(":")[0]
            return arn(service, f"{machine}:{STRANGER}" + (":1" if machine == "execution" else ""))
        case "logs", _:
            return arn(service, f"log-group:{STRANGER}:log-stream:1")
        case "lambda", _:
            return arn(service, f"function:{STRANGER}")
        case "iam", _:
            return arn(service, f"{kind}/{STRANGER}", region="")
        case (("sns" | "sqs"), _):
            return arn(service, STRANGER)
    return arn(service, f"{kind}/{STRANGER}")


def without_their_fences(
    granted: Iterable[tuple[Recorded, Sequence[Grain]]],
) -> Iterator[Foreign]:
    """The very same thing, but for one key that a condition looks at: missing, or another value.

    Args:
        granted: What was recorded, with the grains that allow it.
    """
    for one, grains in granted:
        for grain in grains:
            conditions = json.loads(grain.condition) if grain.condition else {}
            for operator, tests in conditions.items():
                for key, patterns in tests.items():
                    yield from _without(one, operator, key, patterns)


def _without(one: Recorded, operator: str, key: str, patterns: object) -> Iterator[Foreign]:
    rest = tuple(pair for pair in one.ask.context if pair[0] != key)
    if operator == "Null":  # a key that must not be there
        present = replace(one.ask, context=(*rest, (key, (STRANGER,))))
        yield Foreign(one.owner, present, f"with {key}")
        return
    if not operator.startswith(_ALL_OF):
        without = replace(one.ask, context=rest)
        yield Foreign(one.owner, without, f"without {key}")
        if "Tag/" in key:
            prefix = key.partition("/")[0]
            other = (f"{prefix}/team", ("web",))
            yield Foreign(one.owner, replace(without, context=(*rest, other)), "another tag")
    value = _other(key, patterns)
    yield Foreign(one.owner, replace(one.ask, context=(*rest, (key, (value,)))), f"{key} {value!r}")


def _other(key: str, patterns: object) -> str:
    if patterns == _ANY:
        return ""
    if key == "ec2:LaunchTemplate":
        return f"arn:aws:ec2:{REGION}:999999999999:launch-template/lt-{STRANGER}"
    if key in ("iam:PassedToService", "kms:ViaService"):
        return "lambda.amazonaws.com"
    if key in ("ec2:IsLaunchTemplateResource", "kms:GrantIsForAWSResource"):
        return "false"
    return f"{STRANGER}#1"


def of_other_roles(recorded: Sequence[Recorded], owners: Iterable[str]) -> Iterator[Foreign]:
    """What one role does, tried by each that never does it."""
    mine = {(one.owner, one.ask.action) for one in recorded}
    asked = {(one.ask.action, stranger(one.ask.resource)): one.ask for one in recorded}
    for owner in owners:
        for ask in asked.values():
            if (owner, ask.action) not in mine:
                yield Foreign(owner, ask, "another role's")


def of_nobody(owners: Iterable[str], things: Mapping[str, str]) -> Iterator[Foreign]:
    """What nobody here may do at all.

    Args:
        things: ``instance`` and ``group`` are ARNs of a fleet's own, ``table``, ``topic``,
            ``queue`` and ``machine`` those of the stack.
    """
    for owner in owners:
        for ask in never(things):
            yield Foreign(owner, ask, "nobody's")


def never(things: Mapping[str, str]) -> Iterator[Ask]:
    """See :func:`of_nobody`."""
    fleet: Context = (("aws:ResourceTag/ovenbird:fleet", ("web",)),)
    member: Context = (*fleet, ("ssm:resourceTag/ovenbird:fleet", ("web",)))
    builder: Context = (("aws:ResourceTag/ovenbird:role", ("builder",)),)
    image = f"arn:aws:ec2:{REGION}::image/ami-{STRANGER}"
    yield from (Ask(action, things["instance"], fleet) for action in _NOT_TO_MEMBERS)
    for about in ("aws:ResourceTag", "ssm:resourceTag"):  # what a tag of anybody's makes of them
        tagged = ((f"{about}/ovenbird:role", ("builder",)), (f"{about}/{_GROUP}", ("web",)))
        yield from (
            Ask(action, things["instance"], (*member, *tagged)) for action in _NOT_TO_TAGGED
        )
    yield Ask("ssm:SendCommand", things["instance"], member)
    yield from (Ask(action, things["group"], fleet) for action in _NOT_TO_GROUPS)
    yield from (Ask(action, things["table"]) for action in _NOT_TO_THE_LEDGER)
    yield from (Ask(action, image, fleet) for action in _NOT_TO_IMAGES)
    yield Ask("ec2:CreateTags", things["instance"], (*fleet, ("aws:TagKeys", ("ovenbird:role",))))
    yield Ask("ec2:CreateTags", image, (*fleet, ("aws:TagKeys", ("ovenbird:fleet",))))
    yield Ask("ec2:DeleteTags", image, (*fleet, ("aws:TagKeys", ("ovenbird:bad",))))
    yield Ask("ec2:DeleteSnapshot", f"arn:aws:ec2:{REGION}::snapshot/snap-{STRANGER}", fleet)
    yield Ask("ec2:RunInstances", arn("ec2", "instance/i-00000000000000000"))
    yield Ask("ec2:RunInstances", arn("ec2", f"launch-template/lt-{STRANGER}"))
    yield Ask("ec2:ModifyInstanceAttribute", things["instance"], builder)
    yield Ask("ec2:ReleaseAddress", arn("ec2", f"elastic-ip/eipalloc-{STRANGER}"), fleet)
    yield Ask("ec2:DisassociateAddress", arn("ec2", f"elastic-ip/eipalloc-{STRANGER}"), fleet)
    yield Ask("ec2:DeleteLaunchTemplate", arn("ec2", f"launch-template/lt-{STRANGER}"), fleet)
    yield Ask(
        "ec2:DeleteLaunchTemplateVersions", arn("ec2", f"launch-template/lt-{STRANGER}"), fleet
    )
    for document in ("AWS-RunPowerShellScript", "AWS-UpdateSSMAgent"):
        yield Ask("ssm:SendCommand", f"arn:aws:ssm:{REGION}::document/{document}")
    yield Ask("ssm:SendCommand", arn("ssm", f"document/{STRANGER}"))
    for action in ("ssm:PutParameter", "ssm:DeleteParameter"):
        for name in ("web", "web/paused"):
            yield Ask(action, arn("ssm", f"parameter/ovenbird/fleets/{name}"))
    yield Ask("ssm:GetParameter", arn("ssm", f"parameter/{STRANGER}/database-password"))
    yield Ask("ssm:StartSession", things["instance"], member)
    for service in ("lambda", "ecs-tasks", "states", "cloudformation"):
        passed: Context = (("iam:PassedToService", (f"{service}.amazonaws.com",)),)
        yield Ask("iam:PassRole", arn("iam", "role/web", region=""), passed)
    for action in _NOT_TO_ROLES:
        yield Ask(action, arn("iam", "role/web", region=""))
    yield Ask("iam:CreateUser", arn("iam", f"user/{STRANGER}", region=""))
    yield Ask("iam:CreateAccessKey", arn("iam", f"user/{STRANGER}", region=""))
    yield Ask("sts:AssumeRole", arn("iam", "role/web", region=""))
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        yield Ask(action, "arn:aws:s3:::acme-releases/web/app.tar.gz")
    yield Ask("s3:DeleteBucket", "arn:aws:s3:::acme-releases")
    yield Ask("secretsmanager:GetSecretValue", arn("secretsmanager", f"secret:{STRANGER}-abcdef"))
    yield Ask("kms:Decrypt", arn("kms", "key/00000000-0000-4000-8000-000000000000"))
    yield Ask("states:StopExecution", things["machine"].replace("stateMachine", "execution") + ":1")
    yield Ask("states:DeleteStateMachine", things["machine"])
    yield Ask("states:UpdateStateMachine", things["machine"])
    yield Ask("sqs:PurgeQueue", things["queue"])
    yield Ask("sqs:ReceiveMessage", things["queue"])
    yield Ask("sns:Subscribe", things["topic"])
    yield Ask("lambda:UpdateFunctionCode", arn("lambda", "function:RollGroupFunction"))
    yield Ask("lambda:InvokeFunction", arn("lambda", f"function:{STRANGER}"))
    yield Ask("events:PutEvents", arn("events", "event-bus/default"))
    yield Ask("events:DisableRule", arn("events", "rule/AcceptReleaseFunctionS3"))
    yield Ask("cloudwatch:SetAlarmState", arn("cloudwatch", "alarm:web-5xx"))
    yield Ask("cloudformation:DeleteStack", arn("cloudformation", "stack/ovenbird/1"))
    yield Ask("logs:DeleteLogGroup", arn("logs", "log-group:/aws/lambda/ovenbird"))
    yield Ask("logs:CreateLogGroup", arn("logs", f"log-group:/{STRANGER}"))


_NOT_TO_MEMBERS = ("ec2:StopInstances", "ec2:TerminateInstances", "ec2:RebootInstances")
_NOT_TO_TAGGED = (*_NOT_TO_MEMBERS, "ec2:CreateImage", "ssm:SendCommand")
_GROUP = "aws:autoscaling:groupName"  # which nobody but AWS can write
_NOT_TO_GROUPS = (
    "autoscaling:SetDesiredCapacity",
    "autoscaling:SuspendProcesses",
    "autoscaling:DeleteAutoScalingGroup",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DetachInstances",
)
_NOT_TO_THE_LEDGER = (
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
)
_NOT_TO_IMAGES = ("ec2:DeregisterImage", "ec2:ModifyImageAttribute", "ec2:DisableImage")
_NOT_TO_ROLES = (
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
    "iam:CreateRole",
    "iam:UpdateAssumeRolePolicy",
)
