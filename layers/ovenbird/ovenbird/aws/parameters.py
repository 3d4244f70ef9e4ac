"""Parameter Store: fleet documents, pauses, public images, the published image.

``/ovenbird/fleets/<name>`` is a fleet's document, ``…/paused`` the reason of a pause, ``…/image``
the image that its last successful rollout left behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ovenbird import fleet as documents
from ovenbird.aws import clients, faults
from ovenbird.core.quotes import plain, quoted
from ovenbird.errors import BadFleet, NotFound, Refused
from ovenbird.fleet import Fleet
from ovenbird.settings import settings

_ENCRYPTED = "SecureString"


@dataclass(frozen=True)
class BadDocument:
    """A document that is wrong: its text as far as it can be read, a sentence for each mistake."""

    name: str
    text: str
    why: str
    mistakes: tuple[str, ...]


@dataclass(frozen=True)
class Documents:
    """Every fleet with a good document, and those with a bad one."""

    fleets: tuple[Fleet, ...]
    bad: tuple[BadDocument, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of all fleets."""
        return tuple(sorted([one.name for one in self.fleets] + [one.name for one in self.bad]))


def fleet(name: str) -> Fleet:
    """The document of a fleet.

    Raises:
        NotFound: There is none.
        BadFleet: It is wrong; the text says where.

    IAM: ssm:GetParameter
    """
    parameter = _path(name)
    found = _get(parameter)
    if found is None:
        raise NotFound(
            f"There is no fleet {name}: put its document into the parameter {parameter}."
        )
    return _parse(name, found)


def fleets() -> Documents:
    """Every fleet; a bad document does not hide the others.

    IAM: ssm:GetParametersByPath
    """
    good, bad = [], []
    with faults.translated("read the fleet documents"):
        pages = clients.get("ssm").get_paginator("get_parameters_by_path")
        found = {
            str(each["Name"]).rsplit("/", 1)[-1]: each
            for page in pages.paginate(Path=settings().parameters, Recursive=False)
            for each in page["Parameters"]
        }
    for name, parameter in sorted(found.items()):
        try:
            good.append(_parse(name, parameter))
        except BadFleet as error:
            text = "" if parameter["Type"] == _ENCRYPTED else str(parameter["Value"])
            bad.append(BadDocument(name, text, str(error), error.mistakes))
    return Documents(tuple(good), tuple(bad))


def paused(name: str) -> str | None:
    """Why the fleet is paused, or ``None``.

    IAM: ssm:GetParameter
    """
    found = _get(f"{_path(name)}/paused")
    if found is not None and found["Type"] == _ENCRYPTED:
        return "the reason is a SecureString, which Ovenbird does not decrypt"
    return None if found is None else str(found["Value"])


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


def _parse(name: str, parameter: Mapping[str, Any]) -> Fleet:
    """What is encrypted comes as cipher text: without ``WithDecryption``, which would need its key.

    Source: Systems Manager API reference, GetParameter, parameter WithDecryption.
    """
    if parameter["Type"] == _ENCRYPTED:
        raise BadFleet(
            f"Fleet {plain(name)}: its parameter is a SecureString; it must be a String, because "
            "a document is no place for secrets and Ovenbird decrypts none."
        )
    return documents.parse(name, str(parameter["Value"]))


def _get(parameter: str) -> Mapping[str, Any] | None:
    try:
        with faults.translated(f"read the parameter {parameter}"):
            answer = clients.get("ssm").get_parameter(Name=parameter)
    except NotFound:
        return None
    found: Mapping[str, Any] = answer["Parameter"]
    return found


def _value(parameter: str) -> str | None:
    found = _get(parameter)
    return None if found is None else str(found["Value"])
