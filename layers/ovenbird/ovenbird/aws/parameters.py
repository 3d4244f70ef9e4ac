"""Parameter Store: fleet documents, pauses, public images, the published image.

``/ovenbird/fleets/<name>`` is a fleet's document, ``…/paused`` the reason of a pause, ``…/image``
the image that its last successful rollout left behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ovenbird import fleet as documents
from ovenbird.aws import clients, faults
from ovenbird.core.quotes import quoted
from ovenbird.errors import BadFleet, NotFound, Refused
from ovenbird.fleet import Fleet
from ovenbird.settings import settings


@dataclass(frozen=True)
class Documents:
    """Every fleet with a good document, and the sentence about each bad one, by name."""

    fleets: tuple[Fleet, ...]
    bad: dict[str, str]


def fleet(name: str) -> Fleet:
    """The document of a fleet.

    Raises:
        NotFound: There is none.
        BadFleet: It is wrong; the text says where.

    IAM: ssm:GetParameter
    """
    parameter = _path(name)
    text = _value(parameter)
    if text is None:
        raise NotFound(
            f"There is no fleet {name}: put its document into the parameter {parameter}."
        )
    return documents.parse(name, text)


def fleets() -> Documents:
    """Every fleet; a bad document does not hide the others.

    IAM: ssm:GetParametersByPath
    """
    good, bad = [], {}
    with faults.translated("read the fleet documents"):
        pages = clients.get("ssm").get_paginator("get_parameters_by_path")
        found = [
            (str(each["Name"]).rsplit("/", 1)[-1], str(each["Value"]))
            for page in pages.paginate(Path=settings().parameters, Recursive=False)
            for each in page["Parameters"]
        ]
    for name, text in sorted(found):
        try:
            good.append(documents.parse(name, text))
        except BadFleet as error:
            bad[name] = str(error)
    return Documents(tuple(good), bad)


def paused(name: str) -> str | None:
    """Why the fleet is paused, or ``None``.

    IAM: ssm:GetParameter
    """
    return _value(f"{_path(name)}/paused")


def image(parameter: str) -> str:
    """The image id that a public parameter names now.

    Args:
        parameter: ``/aws/service/…``.

    Raises:
        NotFound: There is no such parameter.
        Refused: It names something else.

    IAM: ssm:GetParameter
    """
    value = _value(parameter)
    if value is None:
        raise NotFound(f"bake.base is {parameter}, but there is no such public parameter.")
    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", value):
        raise Refused(
            f"bake.base is {parameter}, which holds {quoted(value)}; it must hold an image id."
        )
    return value


def publish_image(name: str, image_id: str) -> None:
    """Tell others which image the fleet runs; repeating it writes nothing.

    The parameter's data type lets launch templates of other groups name it.

    IAM: ssm:GetParameter, ssm:PutParameter
    IAM also: ec2:DescribeImages
    Source: Systems Manager user guide, "Native parameter support for image ids".
    """
    parameter = f"{_path(name)}/image"
    if _value(parameter) == image_id:
        return
    with faults.translated(f"write the parameter {parameter}"):
        clients.get("ssm").put_parameter(
            Name=parameter,
            Value=image_id,
            Type="String",
            DataType="aws:ec2:image",
            Description=f"The image that the fleet {name} runs; written by Ovenbird.",
            Overwrite=True,
        )


def _path(name: str) -> str:
    if not re.fullmatch(documents.NAME, name):
        raise BadFleet(f"The fleet's name is {quoted(name)}; it must match {documents.NAME}.")
    return f"{settings().parameters}/{name}"


def _value(parameter: str) -> str | None:
    try:
        with faults.translated(f"read the parameter {parameter}"):
            answer = clients.get("ssm").get_parameter(Name=parameter)
    except NotFound:
        return None
    return str(answer["Parameter"]["Value"])
