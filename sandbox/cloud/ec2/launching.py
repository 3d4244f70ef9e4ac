"""RunInstances, and the launches that Auto Scaling makes."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.ec2 import devices, nested, types
from sandbox.cloud.ec2.describing import Describing
from sandbox.cloud.ec2.images import Image, Images
from sandbox.cloud.ec2.instances import Instance, Instances, Volume
from sandbox.cloud.ec2.networks import Networks
from sandbox.cloud.ec2.snapshots import Snapshots
from sandbox.cloud.ec2.tags import Tags, check_number, requested
from sandbox.cloud.ec2.templates import Templates
from sandbox.cloud.ec2.tokens import Tokens
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.machines import Machines

_ABOUT_THE_CALL = ("LaunchTemplate", "MinCount", "MaxCount", "ClientToken", "TagSpecifications")
_TAGGABLE = (
    "instance",
    "volume",
    "network-interface",
    "spot-instances-request",
    "elastic-gpu",
)


@dataclass
class _Shortage:
    instance_type: str | None
    zone: str | None
    left: int
    quota: bool = False
    refusal: tuple[str, str] | None = None  # any other code, with its text


class Launching:
    """Makes instances of templates and parameters."""

    def __init__(
        self,
        kernel: Kernel,
        tags: Tags,
        images: Images,
        templates: Templates,
        networks: Networks,
        instances: Instances,
        describing: Describing,
        snapshots: Snapshots,
        machines: Machines,
    ) -> None:
        self._kernel, self._tags, self._machines = kernel, tags, machines
        self._images, self._templates, self._networks = images, templates, networks
        self._instances, self._describing, self._snapshots = instances, describing, snapshots
        self._tokens: Tokens[tuple[str, ...]] = Tokens()
        self._shortages: list[_Shortage] = []
        self._doomed: deque[tuple[str | None, str]] = deque()
        self.deleted: set[str] = set()  # names of key pairs and instance profiles that are gone

    def lack_capacity(
        self, *, times: int = 1, instance_type: str | None = None, zone: str | None = None
    ) -> None:
        """Let the next launches (of a type, in a zone) be refused for want of capacity."""
        self._shortages.append(_Shortage(instance_type, zone, times))

    def exceed_quota(self, *, times: int = 1) -> None:
        """Let the next launches be refused because the account has no vCPUs left."""
        self._shortages.append(_Shortage(None, None, times, quota=True))

    def refuse(self, code: str, text: str, *, times: int = 1) -> None:
        """Let the next launches be refused with a code of EC2's."""
        self._shortages.append(_Shortage(None, None, times, refusal=(code, text)))

    def never_run(
        self,
        *,
        times: int = 1,
        image_id: str | None = None,
        reason: str = "Server.InternalError: Internal error on launch",
    ) -> None:
        """Let the next instances (of an image) terminate instead of running."""
        self._doomed.extend([(image_id, reason)] * times)

    def recover(self) -> None:
        """There is room for every launch, and every instance runs, from now on."""
        self._shortages.clear()
        self._doomed.clear()

    def operations(self) -> dict[str, Operation]:
        return {"RunInstances": self.run}

    def run(self, params: Parameters) -> Result:
        """Source of the token's rules: EC2 Developer Guide, Ensuring idempotency."""
        made = self._tokens.made(params)
        if made is not None:
            known = [self._instances.all.get(one) for one in made]
            alive = [one for one in known if one is not None and one.is_alive]
            if len(alive) < len(made):
                raise AwsError(
                    "IdempotentInstanceTerminated",
                    "The request to launch an instance uses the same client token as a previous"
                    " request for which the instance has been terminated.",
                )
            return self._describing.reservation(alive)
        if not 1 <= params["MinCount"] <= params["MaxCount"]:
            raise AwsError("InvalidParameterValue", "MinCount must be 1 to MaxCount")
        content, source = self._merged(params.get("LaunchTemplate"), params)
        _check_interfaces(content)
        _check_call(content)
        launched = self._launch(
            content,
            source,
            requested(params.get("TagSpecifications", ()), _TAGGABLE),
            count=params["MaxCount"],
            token=params.get("ClientToken", ""),
        )
        self._tokens.keep(params, tuple(one.instance_id for one in launched))
        return self._describing.reservation(launched)

    def launch(
        self,
        template: dict[str, Any] | None,
        overrides: dict[str, Any],
        subnet_id: str | None,
        tags: dict[str, str],
        launched_by: str,
    ) -> str:
        """One instance for another service. ``overrides`` may name a template of its own."""
        own = overrides.get("LaunchTemplateSpecification")
        given = {
            key: overrides[key]
            for key in overrides
            if key not in ("LaunchTemplateSpecification", "WeightedCapacity")
        }
        if subnet_id is not None:
            given["SubnetId"] = subnet_id
        content, source = self._merged(own or template, given)
        launched = self._launch(content, source, {"instance": tags}, launched_by=launched_by)
        return launched[0].instance_id

    def _merged(
        self, template: dict[str, Any] | None, given: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The launch's content, and the tags that say which template it came from.

        How parameters of the call stand to those of the template: :mod:`nested`.
        """
        given = {key: value for key, value in given.items() if key not in _ABOUT_THE_CALL}
        if template is None:
            return given, {}
        found, version = self._templates.resolve(template)
        source = {
            "aws:ec2launchtemplate:id": found.template_id,
            "aws:ec2launchtemplate:version": str(version.number),
        }
        return nested.over(version.content, given), source

    def _launch(
        self,
        content: dict[str, Any],
        source: dict[str, str],
        tags: dict[str, dict[str, str]],
        *,
        count: int = 1,
        token: str = "",
        launched_by: str = "",
    ) -> list[Instance]:
        if not content.get("ImageId"):
            raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
        image_id = self._templates.image(content["ImageId"])
        image = self._images.usable(image_id)
        kind = _type(content)
        self._check_names(content)
        _check_architecture(kind, image)
        mappings = devices.joined(image.devices, content.get("BlockDeviceMappings", ()))
        disks = devices.disks(mappings, lambda one: self._snapshots.find(one).size)
        boots = self._booted(image, disks)
        interfaces = content.get("NetworkInterfaces") or [{}]
        interface = interfaces[0]
        wanted = content.get("SubnetId") or interface.get("SubnetId")
        zone = content.get("Placement", {}).get("AvailabilityZone")
        if wanted:
            subnet = self._networks.find(wanted)
        elif zone:
            subnet = next((one for one in self._networks.subnets if one.zone == zone), None) or (
                _refuse_zone(zone)
            )
        else:
            subnet = self._networks.subnets[0]
        self._find_capacity(kind, subnet.zone)
        in_template = requested(content.get("TagSpecifications", ()), _TAGGABLE)
        for resource in {*in_template, *tags}:
            check_number(in_template.get(resource, {}) | tags.get(resource, {}))
        reservation = self._kernel.ids.resource("r")
        launched = []
        for index in range(count):
            instance_id = self._kernel.ids.resource("i")
            instance = Instance(
                instance_id=instance_id,
                reservation_id=reservation,
                image_id=image_id,
                subnet_id=subnet.subnet_id,
                vpc_id=subnet.vpc_id,
                zone=subnet.zone,
                launched=self._kernel.now(),
                content=content,
                volumes=tuple(Volume(self._kernel.ids.resource("vol"), disk) for disk in disks),
                interface_id=self._kernel.ids.resource("eni"),
                private_address=self._machines.create(instance_id, boots),
                user_data=_decoded(content.get("UserData", "")),
                launched_by=launched_by,
                client_token=token,
                index=index,
                other_interfaces=tuple(self._kernel.ids.resource("eni") for _ in interfaces[1:]),
                root_device=image.root_device,
                architecture=image.architecture,
                doomed=self._doom(image_id),
            )
            for resource, resource_id in (
                ("instance", instance.instance_id),
                *(("volume", volume.volume_id) for volume in instance.volumes),
                ("network-interface", instance.interface_id),
                *(("network-interface", other) for other in instance.other_interfaces),
            ):
                self._tags.put(resource_id, in_template.get(resource, {}) | tags.get(resource, {}))
            self._tags.put(instance_id, source)
            self._instances.add(instance)
            launched.append(instance)
        return launched

    def _check_names(self, content: dict[str, Any]) -> None:
        """The model keeps neither key pairs nor profiles; all exist that are not deleted."""
        key = content.get("KeyName", "")
        if key in self.deleted:
            raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
        profile = content.get("IamInstanceProfile", {}).get("Name", "")
        if profile in self.deleted:  # as public reports have it
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM"
                " Instance Profile name",
            )

    def _booted(self, image: Image, disks: tuple[devices.Disk, ...]) -> str:
        """The image whose disk is booted: another, where a root volume is made of its snapshot."""
        for disk in disks:
            if disk.device == image.root_device and disk.snapshot:
                return self._images.of_snapshot(disk.snapshot) or image.image_id
        return image.image_id

    def _find_capacity(self, instance_type: str, zone: str) -> None:
        for shortage in self._shortages:
            if (
                shortage.left
                and shortage.instance_type in (None, instance_type)
                and shortage.zone in (None, zone)
            ):
                shortage.left -= 1
                if shortage.refusal is not None:
                    raise AwsError(*shortage.refusal)
                if shortage.quota:
                    raise AwsError(
                        "VcpuLimitExceeded",
                        "You have requested more vCPU capacity than your current vCPU limit of 32"
                        " allows for the instance bucket that the specified instance type belongs"
                        " to.",
                    )
                raise AwsError(
                    "InsufficientInstanceCapacity",
                    f"We currently do not have sufficient {instance_type} capacity in the"
                    f" Availability Zone you requested ({zone}).",
                    500,
                )

    def _doom(self, image_id: str) -> str:
        for doom in self._doomed:
            if doom[0] in (None, image_id):
                self._doomed.remove(doom)
                return doom[1]
        return ""


def _type(content: dict[str, Any]) -> str:
    if content.get("InstanceRequirements"):
        return types.ANY
    return str(content.get("InstanceType", "m1.small"))


def _check_call(content: dict[str, Any]) -> None:
    """What RunInstances does not take, and a launch by a group does.

    Sources: EC2 API reference, RequestLaunchTemplateData, InstanceRequirements ("with the
    RunInstances API … you can't specify InstanceRequirements"; the code is an assumption); the text
    about Spot requests is EC2's own (GitHub, aws/karpenter-provider-aws#5850).
    """
    if content.get("InstanceRequirements"):
        raise AwsError(
            "InvalidParameterCombination",
            "Instance requirements are not supported for this operation; specify an instance type.",
        )
    spot = any(
        each.get("ResourceType") == "spot-instances-request"
        for each in content.get("TagSpecifications", ())
    )
    if spot and not content.get("InstanceMarketOptions"):
        raise AwsError(
            "InvalidParameterValue",
            "You cannot specify tags for Spot instances requests if there are no Spot instances"
            " requests being created by the request.",
        )


def _check_architecture(instance_type: str, image: Image) -> None:
    """The text is EC2's own, from public reports."""
    has = types.architecture(instance_type)
    if has != image.architecture:
        raise AwsError(
            "InvalidParameterValue",
            f"The architecture '{has}' of the specified instance type does not match the"
            f" architecture '{image.architecture}' of the specified AMI. Specify an instance type"
            " and an AMI that have matching architectures, and try again. You can use"
            " 'describe-instance-types' or 'describe-images' to discover the architecture of the"
            " instance type or AMI.",
        )


def _check_interfaces(content: dict[str, Any]) -> None:
    """Where interfaces are named, subnet and groups belong to them. Source: RunInstances."""
    if content.get("NetworkInterfaces"):
        for member, name in (("SubnetId", "subnet ID"), ("SecurityGroupIds", "security groups")):
            if content.get(member):
                raise AwsError(
                    "InvalidParameterCombination",
                    f"Network interfaces and an instance-level {name} may not be specified on the"
                    " same request",
                )


def _refuse_zone(zone: str) -> Any:
    raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")


def _decoded(user_data: str) -> str:
    """User data travels as base64. Source: EC2 User Guide, Run commands at launch (user data)."""
    try:
        return base64.b64decode(user_data, validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise AwsError(
            "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data."
        ) from error
