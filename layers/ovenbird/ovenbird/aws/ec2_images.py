"""Machine images: looked up by id, name or bake key; made; marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, quotas
from ovenbird.aws.faults import code, translated
from ovenbird.core.images import Disk, Image, bad_tag
from ovenbird.errors import BakeFailed, NotFound, NotYetVisible


def get(image_id: str) -> Image:
    """One image, whoever owns it.

    Raises:
        NotFound: It is deregistered, or this account may not use it.

    IAM: ec2:DescribeImages
    """
    missing = f"The image {image_id} does not exist, or this account may not use it."
    with translated(f"describe the image {image_id}", missing=missing):
        found = clients.get("ec2").describe_images(ImageIds=[image_id])["Images"]
    if not found:
        raise NotFound(missing)
    return _image(found[0])


def named(name: str) -> Image | None:
    """This account's image of that name, disabled ones too (they keep their names).

    ``None`` may also mean that it was made a moment ago.

    IAM: ec2:DescribeImages
    """
    found = _owned(f"look for the image {name}", name)
    return found[0] if found else None


def named_like(name: str) -> list[Image]:
    """This account's images whose names begin like that, whoever made them, in whatever state.

    IAM: ec2:DescribeImages
    """
    return _owned(f"look for images {name}", f"{name}*")


def _owned(action: str, name: str) -> list[Image]:
    with translated(action):
        pages = (
            clients.get("ec2")
            .get_paginator("describe_images")
            .paginate(
                Owners=["self"],
                IncludeDisabled=True,
                Filters=[{"Name": "name", "Values": [name]}],
                PaginationConfig={"PageSize": 100},
            )
        )
        return [_image(image) for page in pages for image in page["Images"]]


def _image(image: Mapping[str, Any]) -> Image:
    created = image.get("CreationDate")
    return Image(
        image["ImageId"],
        image.get("Name", ""),
        image["State"],
        tags={tag["Key"]: tag["Value"] for tag in image.get("Tags", [])},
        state_reason=image.get("StateReason", {}).get("Message", ""),
        created=datetime.fromisoformat(created) if created else None,
        disks=tuple(
            Disk(
                mapping["DeviceName"],
                mapping["Ebs"].get("SnapshotId", ""),
                mapping["Ebs"].get("VolumeSize", 0),
                kept=mapping["Ebs"].get("DeleteOnTermination") is False,
            )
            for mapping in image.get("BlockDeviceMappings", [])
            if "Ebs" in mapping
        ),
        root_device=image.get("RootDeviceName", ""),
        architecture=image.get("Architecture", ""),
        platform=image.get("Platform", "").lower(),  # AWS writes it in both ways
        source_instance=image.get("SourceInstanceId", ""),
    )


def create(
    instance_id: str,
    *,
    name: str,
    description: str,
    tags: Mapping[str, str],
    kept_devices: Sequence[str] = (),
) -> str:
    """Make an image from a stopped instance; image and snapshots are tagged in the same call.

    There is no client token: a name exists once in an account, so whoever repeats this looks for
    the name first (:func:`named`) and adopts the image.

    Args:
        name: 3 to 128 characters.
        kept_devices: Devices whose volumes shall outlive instances of the image, as they do with
            the base image (the builder's do not).

    Returns:
        The image id at once; the image is ``pending`` for minutes, sometimes hours.

    Raises:
        BakeFailed: A quota of the account is used up.
        NotYetVisible: The name is taken by an image that could not be seen; look again.

    IAM: ec2:CreateImage
    IAM also: ec2:CreateTags
    Source: EC2 API reference, CreateImage.
    """
    request: dict[str, Any] = {
        "InstanceId": instance_id,
        "Name": name,
        "Description": description[:255],
        "TagSpecifications": [
            {
                "ResourceType": resource,
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
            for resource in ("image", "snapshot")
        ],
    }
    if kept_devices:
        request["BlockDeviceMappings"] = [
            {"DeviceName": device, "Ebs": {"DeleteOnTermination": False}} for device in kept_devices
        ]
    with translated(f"make an image of {instance_id}"):
        try:
            return str(clients.get("ec2").create_image(**request)["ImageId"])
        except ClientError as error:
            if quotas.is_used_up(error):
                raise BakeFailed(
                    f"Could not make an image of {instance_id}: {quotas.sentence(error)}"
                ) from error
            if code(error) != "InvalidAMIName.Duplicate":
                raise
            raise NotYetVisible(f"An image {name} exists but cannot be seen yet.") from error


def mark_bad(image_id: str, reason: str) -> None:
    """Tag an image so that no rollout uses it again; instances that run it are not touched.

    Repeating it replaces the reason. An image that is gone needs no mark.

    IAM: ec2:CreateTags
    """
    tags = [{"Key": key, "Value": value} for key, value in bad_tag(reason).items()]
    with translated(f"mark the image {image_id} as bad"):
        try:
            clients.get("ec2").create_tags(Resources=[image_id], Tags=tags)
        except ClientError as error:
            if code(error) not in ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"):
                raise
