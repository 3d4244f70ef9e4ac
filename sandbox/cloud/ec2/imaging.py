"""CreateImage: an image of an instance."""

from __future__ import annotations

from sandbox.cloud.ec2.images import Images
from sandbox.cloud.ec2.instances import Instances
from sandbox.cloud.ec2.tags import requested
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Operation, Parameters, Result


class Imaging:
    """Takes images of instances; there is no client token, only the name is unique."""

    def __init__(self, images: Images, instances: Instances) -> None:
        self._images, self._instances = images, instances

    def operations(self) -> dict[str, Operation]:
        return {"CreateImage": self.create}

    def create(self, params: Parameters) -> Result:
        """A running instance is rebooted unless NoReboot says otherwise.

        Source: EC2 API reference, CreateImage (NoReboot, TagSpecifications).
        """
        instance = self._instances.find(params["InstanceId"])
        if instance.state not in ("running", "stopped"):
            raise AwsError(
                "IncorrectInstanceState",
                f"The instance '{instance.instance_id}' is not in the 'running' or 'stopped'"
                " state.",
            )
        image = self._images.begin(
            params["Name"],
            description=params.get("Description", ""),
            instance_id=instance.instance_id,
            image_id=instance.image_id,
            volumes=instance.volumes,
            devices=params.get("BlockDeviceMappings", ()),
            tags=requested(params.get("TagSpecifications", ()), ("image", "snapshot")),
        )
        if instance.state == "running" and not params.get("NoReboot", False):
            self._instances.reboot(instance)
        return {"ImageId": image.image_id}
