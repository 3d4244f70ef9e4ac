"""What IAM is asked for each call: actions, resources, and the context that conditions look at.

Beside the call's own action there is what AWS checks on top in the caller's name (``also``): tags
that are given at creation, a role that is passed, the dry run of a launch before a refresh.

Source: Service Authorization Reference; EC2 Auto Scaling user guide, Launch template permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.cloud.cloud import Cloud

Params = dict[str, Any]
Tags = Mapping[str, str]
Context = tuple[tuple[str, tuple[str, ...]], ...]
PREFIXES = {  # botocore → IAM
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "stepfunctions": "states",
}
READING = ("Describe", "Get", "List")
_KINDS = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "key": "key-pair",
    "lt": "launch-template",
    "sg": "security-group",
    "sir": "spot-instances-request",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
}
_NOBODYS = {"image", "snapshot"}  # their ARNs have no account
# What a launch makes, and the parameter of RunInstances that says how.
_MADE = {
    "instance": "InstanceType",
    "volume": "BlockDeviceMappings",
    "network-interface": "NetworkInterfaces",
}


@dataclass(frozen=True)
class Ask:
    """One question to IAM; ``also`` where AWS asks it on top of what was called."""

    action: str
    resource: str = "*"
    context: Context = ()
    also: bool = False


def asks(cloud: Cloud, service: str, operation: str, params: Params) -> Iterator[Ask]:
    """Everything that IAM is asked for one call, before its effect."""
    action = f"{PREFIXES.get(service, service)}:{operation}"
    known = _ASKS.get(action)
    if known is not None:
        yield from known(_Account(cloud), action, params)
    elif operation.startswith(READING):
        yield Ask(action)  # describe calls know no resources
    else:
        raise NotImplementedError(f"what IAM is asked for {action} is not written down")


def keyed(ask: Ask, key_arn: str) -> Iterator[Ask]:
    """What is asked of the key that the stack's table, topic and queue are encrypted with.

    Source: DynamoDB, SNS and SQS developer guides, each "Encryption at rest".
    """
    service = ask.action.partition(":")[0]
    actions = {
        "dynamodb": ("kms:Decrypt",),
        "sns": ("kms:Decrypt", "kms:GenerateDataKey"),
        "sqs": ("kms:Decrypt", "kms:GenerateDataKey"),
    }
    for action in actions.get(service, ()):
        region = ask.resource.split(":")[3]
        through = (("kms:ViaService", (f"{service}.{region}.amazonaws.com",)),)
        yield Ask(action, key_arn, through, also=True)


def keyed_machine(machine_arn: str, key_arn: str) -> Iterator[Ask]:
    """What is asked of the key of the executions' histories, in the state machine's name.

    Source: Step Functions developer guide, "Data at rest encryption".
    """
    _, _, _, region, account, _ = machine_arn.split(":", 5)
    history = (("kms:EncryptionContext:aws:states:stateMachineArn", (machine_arn,)),)
    yield Ask("kms:Decrypt", key_arn, history, also=True)
    yield Ask("kms:GenerateDataKey", key_arn, history, also=True)
    logs = (("kms:EncryptionContext:SourceArn", (f"arn:aws:logs:{region}:{account}:*",)),)
    yield Ask("kms:GenerateDataKey", key_arn, logs, also=True)


def keyed_volumes(ask: Ask, key_arn: str) -> Iterator[Ask]:
    """What EC2 asks of the key in the caller's name where volumes are encrypted with it.

    The guide has one list for everything that makes an encrypted volume or snapshot. Auto Scaling
    asks none of it in its caller's name: its service-linked role uses the key.

    Source: EBS user guide, "Requirements for Amazon EBS encryption"; EC2 Auto Scaling user guide,
    "Required AWS KMS key policy for use with encrypted volumes".
    """
    kind = ask.resource.rpartition(":")[2].partition("/")[0]
    made = (ask.action, kind) in {("ec2:RunInstances", "volume"), ("ec2:CreateImage", "snapshot")}
    if not made or ask.also:
        return
    region = ask.resource.split(":")[3]
    through = ("kms:ViaService", (f"ec2.{region}.amazonaws.com",))
    for action in (
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ):
        yield Ask(action, key_arn, (through,), also=True)
    for_aws = ("kms:GrantIsForAWSResource", ("true",))
    yield Ask("kms:CreateGrant", key_arn, (through, for_aws), also=True)


def tagged(about: str, tags: Tags) -> Context:
    """Tags as conditions name them, such as ``aws:ResourceTag/ovenbird:fleet``."""
    return tuple(sorted((f"{about}/{key}", (value,)) for key, value in tags.items()))


def _given(tags: Tags) -> Context:
    """Tags in the request."""
    if not tags:
        return ()
    return (*tagged("aws:RequestTag", tags), ("aws:TagKeys", tuple(sorted(tags))))


@dataclass(frozen=True)
class _Account:
    """The model cloud, as IAM sees it: ARNs and tags."""

    cloud: Cloud

    def arn(self, service: str, resource: str, *, ours: bool = True) -> str:
        account = self.cloud.kernel.account if ours else ""
        return f"arn:aws:{service}:{self.cloud.kernel.region}:{account}:{resource}"

    def ec2(self, resource_id: str) -> str:
        kind = _KINDS[resource_id.partition("-")[0]]
        return self.arn("ec2", f"{kind}/{resource_id}", ours=kind not in _NOBODYS)

    def on(self, action: str, *resource_ids: str) -> Iterator[Ask]:
        """The action on EC2 resources that exist."""
        for resource_id in resource_ids:
            tags = self.cloud.ec2.tags.of(resource_id)
            yield Ask(action, self.ec2(resource_id), tagged("aws:ResourceTag", tags))

    def on_group(self, action: str, name: str) -> Iterator[Ask]:
        group = self.cloud.autoscaling.groups[name]
        tags = {key: tag.value for key, tag in group.tags.items()}
        yield Ask(action, group.arn, tagged("aws:ResourceTag", tags))

    def made(self, creating: str, tags: Mapping[str, Tags]) -> Iterator[Ask]:
        """Tags that a creating call gives, by the kind of resource."""
        for kind, given in tags.items():
            resource = self.ec2(_new(kind))
            action = ("ec2:CreateAction", (creating,))
            yield Ask("ec2:CreateTags", resource, (action, *_given(given)), also=True)

    def launch(self, specification: Params, params: Params) -> Iterator[Ask]:
        """A launch from a template; ``params`` are what RunInstances is given beside it."""
        template = self.cloud.ec2.resolve_template(specification)
        content = template["Data"] | params
        # AWS does not say whose tags win where both tag a kind: all kinds are asked for.
        tags = _specified(template["Data"]) | _specified(params)
        source = ("ec2:LaunchTemplate", (self.ec2(template["LaunchTemplateId"]),))

        def by(*names: str) -> Context:
            """Whether the template says so, or the request by one of these parameters."""
            inherited = "false" if set(names) & set(params) else "true"
            return (source, ("ec2:IsLaunchTemplateResource", (inherited,)))

        yield from self.on("ec2:RunInstances", template["LaunchTemplateId"])
        for kind, name in _MADE.items():
            given = _given(tags.get(kind, {}))
            yield Ask("ec2:RunInstances", self.ec2(_new(kind)), (*by(name), *given))
        interfaces = content.get("NetworkInterfaces", [])
        groups = [group for each in interfaces for group in each.get("Groups", [])]
        groups = groups or content.get("SecurityGroupIds") or ["sg-0123456789abcdef0"]
        subnets = [each["SubnetId"] for each in interfaces if "SubnetId" in each]
        subnets = subnets or [content.get("SubnetId", "subnet-0123456789abcdef0")]
        devices = [each.get("Ebs", {}) for each in content.get("BlockDeviceMappings", [])]
        used = [
            ([content["ImageId"]], by("ImageId")),
            (groups, by("SecurityGroupIds", "NetworkInterfaces")),
            (subnets, by("SubnetId", "NetworkInterfaces")),
            (
                [each["SnapshotId"] for each in devices if "SnapshotId" in each],
                by("BlockDeviceMappings"),
            ),
        ]
        for resource_ids, context in used:
            for resource_id in resource_ids:
                yield Ask("ec2:RunInstances", self.ec2(resource_id), context)
        if key := content.get("KeyName"):
            yield Ask("ec2:RunInstances", self.arn("ec2", f"key-pair/{key}"), by("KeyName"))
        yield from self.made("RunInstances", tags)
        if profile := content.get("IamInstanceProfile"):
            role = f"arn:aws:iam::{self.cloud.kernel.account}:role/{profile['Name']}"
            service = (("iam:PassedToService", ("ec2.amazonaws.com",)),)
            yield Ask("iam:PassRole", role, service, also=True)

    def dry_run(self, params: Params) -> Iterator[Ask]:
        """What Auto Scaling tries in the caller's name for every template that it is given.

        The group chooses subnet and type beside the template, if the trial names them at all.
        """
        beside = {"SubnetId": "subnet-0123456789abcdef0", "InstanceType": "t3.micro"}
        for specification in _specifications(params):
            for ask in self.launch(specification, beside):
                yield replace(ask, also=True)


def _new(kind: str) -> str:
    """An id for something that does not exist yet."""
    prefix = next(prefix for prefix, known in _KINDS.items() if known == kind)
    return f"{prefix}-00000000000000000"


def _specified(params: Params) -> dict[str, Tags]:
    return {
        each["ResourceType"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
        for each in params.get("TagSpecifications", [])
    }


def _specifications(params: Any) -> Iterator[Params]:
    """Every launch template that a request names, however deep."""
    if isinstance(params, Mapping):
        if "LaunchTemplateId" in params:
            yield dict(params)
        params = params.values()
    if isinstance(params, Iterable) and not isinstance(params, str | bytes):
        for each in params:
            yield from _specifications(each)


def _run_instances(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield from account.launch(params["LaunchTemplate"], params)


def _create_image(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    tags = _specified(params)
    yield from account.on(action, params["InstanceId"])
    for kind in ("image", "snapshot"):
        yield Ask(action, account.ec2(_new(kind)), _given(tags.get(kind, {})))
    yield from account.made("CreateImage", tags)


def _create_tags(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    given = _given({tag["Key"]: tag["Value"] for tag in params["Tags"]})
    for ask in account.on(action, *params["Resources"]):
        yield replace(ask, context=(*ask.context, *given))


def _send_command(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield Ask(action, account.arn("ssm", f"document/{params['DocumentName']}", ours=False))
    for instance_id in params["InstanceIds"]:
        tags = account.cloud.ec2.tags.of(instance_id)
        yield Ask(action, account.ec2(instance_id), tagged("ssm:resourceTag", tags))


def _associate_address(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    target = params.get("InstanceId") or params["NetworkInterfaceId"]
    yield from account.on(action, params["AllocationId"], target)


def _on_instances(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield from account.on(action, *params["InstanceIds"])


def _on_template(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield from account.on(action, params["LaunchTemplateId"])


def _on_group(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield from account.on_group(action, params["AutoScalingGroupName"])
    yield from account.dry_run(params)  # nothing where the request names no template


def _on_parameter(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    name = params.get("Name") or params["Path"]
    public = name.startswith("/aws/service/")
    yield Ask(action, account.arn("ssm", f"parameter{name}", ours=not public))
    if "Path" in params:  # whether IAM sees it with a slash at its end is not documented
        yield Ask(action, account.arn("ssm", f"parameter{name}/"), also=True)
    if params.get("DataType") == "aws:ec2:image":
        yield Ask("ec2:DescribeImages", also=True)


def _on_item(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    table = account.arn("dynamodb", f"table/{params['TableName']}")
    yield Ask(action, table, (("dynamodb:LeadingKeys", (params["Key"]["pk"]["S"],)),))


def _on_topic(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield Ask(action, params["TopicArn"])


def _on_machine(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield Ask(action, params["stateMachineArn"])


def _on_execution(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    yield Ask(action, params["executionArn"])


def _anywhere(account: _Account, action: str, params: Params) -> Iterator[Ask]:
    """It changes something and knows no resources."""
    yield Ask(action)


_ASKS: dict[str, Callable[[_Account, str, Params], Iterator[Ask]]] = {
    "autoscaling:CancelInstanceRefresh": _on_group,
    "autoscaling:RollbackInstanceRefresh": _on_group,
    "autoscaling:StartInstanceRefresh": _on_group,
    "autoscaling:UpdateAutoScalingGroup": _on_group,
    "dynamodb:GetItem": _on_item,
    "dynamodb:UpdateItem": _on_item,
    "ec2:AssociateAddress": _associate_address,
    "ec2:CreateImage": _create_image,
    "ec2:CreateLaunchTemplateVersion": _on_template,
    "ec2:CreateTags": _create_tags,
    "ec2:ModifyLaunchTemplate": _on_template,
    "ec2:RunInstances": _run_instances,
    "ec2:StopInstances": _on_instances,
    "ec2:TerminateInstances": _on_instances,
    "sns:Publish": _on_topic,
    "ssm:GetParameter": _on_parameter,
    "ssm:GetParametersByPath": _on_parameter,
    "ssm:PutParameter": _on_parameter,
    "ssm:SendCommand": _send_command,
    "states:DescribeExecution": _on_execution,
    "states:SendTaskSuccess": _anywhere,
    "states:StartExecution": _on_machine,
}
