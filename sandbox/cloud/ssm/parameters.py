"""Parameter Store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Result
from sandbox.cloud.kernel import Parameters as Request
from sandbox.cloud.pages import page

_STANDARD_BYTES, _ADVANCED_BYTES = 4096, 8192  # SSM User Guide, Managing parameter tiers
_VERSIONS = 100
_IMAGE = "aws:ec2:image"
_LOOK = timedelta(seconds=1)


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str
    value: str
    version: int
    modified: datetime
    description: str
    data_type: str


class Parameters:
    """Every parameter with its versions, newest last; AWS's public ones can be put there too."""

    def __init__(self, kernel: Kernel, images: Callable[[str], bool]) -> None:
        self._kernel = kernel
        self._is_image = images
        self._blind = 0
        self.all: dict[str, list[Parameter]] = {}

    def fail_next_look(self, times: int = 1) -> None:
        """Let the next images look as if they were not there, or not for the caller's eyes."""
        self._blind += times

    def seed(self, name: str, value: str) -> None:
        """A parameter that AWS publishes (``/aws/service/…``); no event."""
        self._store(name, value, {})

    def value(self, name: str) -> str:
        """What a parameter holds, for ``resolve:ssm:…`` (a version may follow after a colon).

        Raises:
            AwsError: There is no such parameter; the code is EC2's.
        """
        try:
            return self._find(name).value
        except AwsError as error:
            raise AwsError("InvalidParameterValue", f"{name}: {error.message}") from error

    def operations(self) -> dict[str, Operation]:
        return {
            "GetParameter": self.get,
            "GetParameters": self.get_several,
            "GetParametersByPath": self.get_by_path,
            "PutParameter": self.put,
            "DeleteParameter": self.delete,
        }

    def get(self, params: Request) -> Result:
        found, asked = self._find(params["Name"]), params["Name"]
        return {"Parameter": self._shown(found, asked, params)}

    def get_several(self, params: Request) -> Result:
        found, missing = [], []
        for name in params["Names"]:
            try:
                found.append(self._shown(self._find(name), name, params))
            except AwsError:
                missing.append(name)
        return {"Parameters": found, "InvalidParameters": missing}

    def get_by_path(self, params: Request) -> Result:
        """At most ten a page. Source: SSM API reference, GetParametersByPath."""
        path = params["Path"].rstrip("/") + "/"
        if not path.startswith("/"):
            raise AwsError(
                "ValidationException", "The parameter path must begin with a forward slash /."
            )
        found = [
            versions[-1]
            for name, versions in sorted(self.all.items())
            if name.startswith(path)
            and (params.get("Recursive") or "/" not in name.removeprefix(path))
        ]
        found, more = page(
            found, {"MaxResults": 10} | params, least=1, most=10, bad_token="InvalidNextToken"
        )
        return {"Parameters": [self._shown(one, one.name, params) for one in found], **more}

    def put(self, params: Request) -> Result:
        """There is no compare-and-set, only Overwrite. Source: SSM API reference, PutParameter."""
        name, value = params["Name"], params["Value"]
        _check_name(name)
        if params.get("Overwrite") and params.get("Tags"):
            raise AwsError(
                "ValidationException",
                "Invalid request: tags and overwrite can't be used together.",
            )
        limit = _ADVANCED_BYTES if params.get("Tier") == "Advanced" else _STANDARD_BYTES
        if len(value.encode()) > limit:
            raise AwsError(
                "ValidationException",
                f"Standard tier parameters support a maximum parameter value of {limit} bytes.",
            )
        if name in self.all and not params.get("Overwrite"):
            raise AwsError(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option"
                " in the request to true.",
            )
        if name not in self.all and "Type" not in params:
            raise AwsError(
                "ValidationException", "A parameter type is required when you create a parameter."
            )
        tier = params.get("Tier", "Standard")
        if params.get("DataType") == _IMAGE:
            if not re.fullmatch(r"ami-[0-9a-f]{8,17}", value):
                raise AwsError(
                    "ValidationException",
                    "The following parameter value isn't valid. Parameter of data type "
                    f"{_IMAGE} must be an image id: {value}",
                )
            before = self.all.get(name)
            self._kernel.after(_LOOK, lambda: self._put_image(name, params))
            return {"Version": before[-1].version + 1 if before else 1, "Tier": tier}
        return {"Version": self._put(name, params).version, "Tier": tier}

    def _put(self, name: str, params: Request) -> Parameter:
        operation = "Update" if name in self.all else "Create"
        parameter = self._store(name, params["Value"], params)
        self._tell(operation, parameter)
        return parameter

    def _put_image(self, name: str, params: Request) -> None:
        """Looked at after the call was answered; what fails is told by an event and not stored.

        Source: SSM User Guide, "Native parameter support for Amazon Machine Image IDs". That it
        takes a second is assumed.
        """
        blind, self._blind = self._blind > 0, max(self._blind - 1, 0)
        if self._is_image(params["Value"]) and not blind:
            self._put(name, params)
            return
        detail = {
            "operation": "Update" if name in self.all else "Create",
            "name": name,
            "type": params.get("Type", "String"),
            "dataType": _IMAGE,
            "exception": "Unable to Describe Resource",
        }
        arn = self._kernel.arn("ssm", f"parameter/{name.lstrip('/')}")
        self._kernel.emit("aws.ssm", "Parameter Store Change", detail, (arn,))

    def delete(self, params: Request) -> Result:
        parameter = self._find(params["Name"])
        del self.all[parameter.name]
        self._tell("Delete", parameter)
        return {}

    def _find(self, wanted: str) -> Parameter:
        """By name, by ARN, or with ``:<version>`` after it."""
        name, _, version = re.sub(r"^arn:[^:]*:ssm:[^:]*:[^:]*:parameter", "", wanted).partition(
            ":"
        )
        versions = self.all.get(name) or self.all.get(name.removeprefix("/"))
        if not versions:
            raise AwsError("ParameterNotFound", f"Parameter {wanted} not found.")
        if not version:
            return versions[-1]
        for parameter in versions:
            if str(parameter.version) == version:
                return parameter
        raise AwsError(
            "ParameterVersionNotFound",
            f"Systems Manager could not find version {version} of {name}.",
        )

    def _store(self, name: str, value: str, params: Request) -> Parameter:
        versions = self.all.setdefault(name, [])
        before = versions[-1] if versions else None
        parameter = Parameter(
            name=name,
            kind=params.get("Type") or (before.kind if before else "String"),
            value=value,
            version=before.version + 1 if before else 1,
            modified=self._kernel.now(),
            description=params.get("Description", before.description if before else ""),
            data_type=params.get("DataType") or "text",
        )
        versions.append(parameter)
        del versions[:-_VERSIONS]
        return parameter

    def _tell(self, operation: str, parameter: Parameter) -> None:
        """The value is not in the event. Source: SSM User Guide, Parameter Store events."""
        detail = {"operation": operation, "name": parameter.name, "type": parameter.kind}
        if parameter.description:
            detail["description"] = parameter.description
        self._kernel.emit("aws.ssm", "Parameter Store Change", detail, (self._arn(parameter),))

    def _arn(self, parameter: Parameter) -> str:
        return self._kernel.arn("ssm", f"parameter/{parameter.name.lstrip('/')}")

    def _shown(self, one: Parameter, asked: str, params: Request) -> Result:
        """A SecureString comes encrypted, unless ``WithDecryption`` is asked for.

        Source: SSM API reference, GetParameter and GetParametersByPath, WithDecryption.
        """
        encrypted = one.kind == "SecureString" and not params.get("WithDecryption")
        shown = {
            "Name": one.name,
            "Type": one.kind,
            "Value": _cipher_text(one.value) if encrypted else one.value,
            "Version": one.version,
            "LastModifiedDate": one.modified,
            "ARN": self._arn(one),
            "DataType": one.data_type,
        }
        if asked.endswith(f":{one.version}"):
            shown["Selector"] = f":{one.version}"
        return shown


def _cipher_text(value: str) -> str:
    """Something that says nothing; KMS's begins so."""
    return f"AQICAH{hashlib.sha256(value.encode()).hexdigest()}=="


def _check_name(name: str) -> None:
    """Source: SSM API reference, PutParameter, Name."""
    if not re.fullmatch(r"[A-Za-z0-9_.\-/]{1,1011}", name):
        raise AwsError(
            "ValidationException",
            'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive) and may'
            " only contain letters, digits and the symbols _ . - /",
        )
    if name.lstrip("/").lower().startswith(("aws", "ssm")):
        raise AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if "/" in name and not name.startswith("/"):
        raise AwsError(
            "ValidationException", "Parameter name must be a fully qualified name: begin with /."
        )
    if name.count("/") > 15:
        raise AwsError(
            "HierarchyLevelLimitExceededException", "A hierarchy can have at most 15 levels."
        )
