"""EC2 as one service, and what other services may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.cloud.ec2 import types
from sandbox.cloud.ec2.addresses import Addresses
from sandbox.cloud.ec2.describing import Describing
from sandbox.cloud.ec2.images import Images
from sandbox.cloud.ec2.imaging import Imaging
from sandbox.cloud.ec2.instances import Instances, Listener
from sandbox.cloud.ec2.launching import Launching
from sandbox.cloud.ec2.networks import Networks
from sandbox.cloud.ec2.snapshots import Snapshots
from sandbox.cloud.ec2.tags import Tags
from sandbox.cloud.ec2.templates import Templates
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation
from sandbox.cloud.machines import Machines
from sandbox.cloud.visibility import Visibility


def _no_parameter(name: str) -> str:
    raise AwsError("InvalidParameterValue", f"The SSM parameter {name} does not exist")


class Ec2:
    """``parameter`` looks an SSM parameter up, for ``resolve:ssm:`` images (Cloud connects it)."""

    def __init__(self, kernel: Kernel, machines: Machines) -> None:
        self.kernel = kernel
        self.parameter: Callable[[str], str] = _no_parameter
        self.tags = Tags()
        visibility = Visibility(kernel)
        self.networks = Networks(kernel, self.tags)
        self.snapshots = Snapshots(kernel, self.tags, visibility)
        self.images = Images(kernel, self.tags, visibility, self.snapshots, machines)
        self.templates = Templates(kernel, self.tags, visibility, lambda name: self.parameter(name))
        self.instances = Instances(kernel, self.tags, visibility, machines)
        self.describing = Describing(kernel, self.tags, self.instances)
        self.launching = Launching(
            kernel,
            self.tags,
            self.images,
            self.templates,
            self.networks,
            self.instances,
            self.describing,
            self.snapshots,
            machines,
        )
        self.addresses = Addresses(kernel, self.tags, visibility, self.instances, self.networks)
        self.imaging = Imaging(self.images, self.instances)

    def operations(self) -> dict[str, Operation]:
        return {
            **self.tags.operations(),
            **self.networks.operations(),
            **self.snapshots.operations(),
            **self.images.operations(),
            **self.templates.operations(),
            **self.instances.operations(),
            **self.describing.operations(),
            **self.launching.operations(),
            **self.addresses.operations(),
            **self.imaging.operations(),
            **types.operations(),
        }

    def seed_image(self, name: str, tags: dict[str, str] | None = None, *, owner: str = "") -> str:
        """Put an image there that nobody baked; return its id."""
        return self.images.seed(name, tags, owner=owner)

    def launch(
        self,
        *,
        template: dict[str, Any] | None,
        overrides: dict[str, Any],
        subnet_id: str | None,
        tags: dict[str, str],
        launched_by: str,
    ) -> str:
        """Launch one instance for another service and return its id.

        Args:
            template: A LaunchTemplateSpecification; ``None`` where ``overrides`` say it all.
            overrides: Members of RunInstances, or of an override of a mixed instances policy.

        Raises:
            AwsError: As RunInstances.
        """
        return self.launching.launch(template, overrides, subnet_id, tags, launched_by)

    def terminate(self, instance_id: str) -> None:
        """Terminate for another service; an unknown or ended instance changes nothing."""
        if instance := self.instances.all.get(instance_id):
            self.instances.end(
                instance,
                {
                    "Code": "Client.UserInitiatedShutdown",
                    "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
                },
                f"User initiated ({self.kernel.now():%Y-%m-%d %H:%M:%S} GMT)",
            )

    def state(self, instance_id: str) -> str:
        """The state's name; ``terminated`` for an instance that nobody remembers."""
        instance = self.instances.all.get(instance_id)
        return instance.state if instance else "terminated"

    def zone(self, instance_id: str) -> str:
        """The zone of an instance, empty for one that nobody remembers."""
        instance = self.instances.all.get(instance_id)
        return instance.zone if instance else ""

    def zones(self, subnets: Iterable[str]) -> set[str]:
        """The zones of subnets."""
        return {self.networks.find(subnet).zone for subnet in subnets}

    def reason(self, instance_id: str) -> str:
        """Why the instance stopped or ended, its code first; empty when nothing is known.

        Unlike a describe call it does not depend on what can be seen already.
        """
        instance = self.instances.all.get(instance_id)
        if instance is None or not instance.reason:
            return ""
        return instance.reason["Message"]

    def on_state(self, callback: Listener) -> None:
        """Call back with the instance id and its new state, at once, at every change."""
        self.instances.listeners.append(callback)

    def resolve_template(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The template, its version as a number, and the version's content (``Data``)."""
        template, version = self.templates.resolve(spec)
        return {
            "LaunchTemplateId": template.template_id,
            "LaunchTemplateName": template.name,
            "Version": str(version.number),
            "Data": version.content,
        }

    def image_id_is_parameter(self, spec: dict[str, Any]) -> bool:
        """Whether the template's image is an SSM parameter (such templates cannot roll back)."""
        _, version = self.templates.resolve(spec)
        return str(version.content.get("ImageId", "")).startswith("resolve:ssm:")
