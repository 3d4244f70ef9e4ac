"""Requests and answers are checked against AWS's own service models (those of botocore).

A wrong parameter fails as it would on AWS; an answer that AWS could not have given is a mistake in
the model cloud and fails loudly. Checking also copies, so that nobody holds a piece of the cloud.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.cloud.errors import AwsError

Copy = Callable[[Any, str], Any]


class Mismatch(Exception):
    """A value that does not fit its shape; ``kind`` is missing, unknown or wrong."""

    def __init__(self, kind: str, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.kind, self.path, self.problem = kind, path, problem


class ImpossibleAnswer(AssertionError):
    """The model cloud made an answer that AWS could not have given: mend the model."""


@cache
def model(service: str) -> ServiceModel:
    """The service's model; ``service`` is boto3's name for it (``elbv2``)."""
    return botocore.session.get_session().get_service_model(service)


@cache
def operation(service: str, name: str) -> OperationModel | None:
    """The operation's model, or ``None`` when AWS has no such service or operation."""
    try:
        found = model(service)
    except UnknownServiceError:
        return None
    return found.operation_model(name) if name in found.operation_names else None


def params(service: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """A checked copy of the request.

    Raises:
        AwsError: With the code that this family of services uses for bad requests.
    """
    shape = _operation(service, name).input_shape
    if shape is None:
        return {}
    try:
        copied: dict[str, Any] = _checker(service, shape.name, strict=True)(given, "")
    except Mismatch as mismatch:
        raise _refusal(model(service).metadata["protocol"], mismatch) from mismatch
    return copied


def answer(service: str, name: str, made: dict[str, Any]) -> dict[str, Any]:
    """A checked copy of the answer.

    Raises:
        ImpossibleAnswer: Says where it does not fit.
    """
    shape = _operation(service, name).output_shape
    if shape is None:
        if made:
            raise ImpossibleAnswer(f"{service} {name} answers nothing, but the model says {made}")
        return {}
    try:
        copied: dict[str, Any] = _checker(service, shape.name, strict=False)(made, "")
    except Mismatch as mismatch:
        raise ImpossibleAnswer(f"{service} {name}: {mismatch}") from mismatch
    return copied


def _operation(service: str, name: str) -> OperationModel:
    found = operation(service, name)
    assert found is not None, f"AWS has no {service} {name}"
    return found


def _refusal(protocol: str, mismatch: Mismatch) -> AwsError:
    """Sources: API references of EC2 (Error codes), Auto Scaling and SSM (Common errors)."""
    if protocol == "ec2":
        name = mismatch.path.lstrip(".")
        if mismatch.kind == "missing":
            return AwsError("MissingParameter", f"The request must contain the parameter {name}")
        if mismatch.kind == "unknown":
            return AwsError("UnknownParameter", f"The parameter {name} is not recognized")
        return AwsError("InvalidParameterValue", f"Value for parameter {name} {mismatch.problem}")
    code = "ValidationError" if protocol == "query" else "ValidationException"
    return AwsError(code, f"1 validation error detected: {mismatch}")


@cache
def _checker(service: str, shape_name: str, *, strict: bool) -> Copy:
    """The check of one shape, made once; ``strict`` adds what AWS asks of requests only."""
    return _compile(service, model(service).shape_for(shape_name), strict)


def _compile(service: str, shape: Shape, strict: bool) -> Copy:
    if isinstance(shape, StructureShape):
        return _structure(service, shape, strict)
    if isinstance(shape, ListShape):
        return _list(service, shape, strict)
    if isinstance(shape, MapShape):
        return _map(service, shape, strict)
    if shape.type_name == "string":
        # EC2 says in codes of its own what is wrong with a text (InvalidAMIName.Malformed)
        return _string(shape, strict and model(service).metadata["protocol"] != "ec2")
    if shape.type_name in _SCALARS:
        return _scalar(shape, *_SCALARS[shape.type_name], strict=strict)
    raise NotImplementedError(f"{service}: shapes of type {shape.type_name}")


def _structure(service: str, shape: StructureShape, strict: bool) -> Copy:
    members = {name: member.name for name, member in shape.members.items()}
    required = tuple(shape.required_members)
    checkers: dict[str, Copy] = {}

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch("wrong", path, f"must be a structure, not {value!r}")
        for name in required:
            if name not in value:
                raise Mismatch("missing", f"{path}.{name}", "is required")
        copied = {}
        for name, item in value.items():
            checker = checkers.get(name)
            if checker is None:
                if name not in members:
                    raise Mismatch("unknown", f"{path}.{name}", "is not known")
                checker = checkers[name] = _checker(service, members[name], strict=strict)
            copied[name] = checker(item, f"{path}.{name}")
        return copied

    return check


def _list(service: str, shape: ListShape, strict: bool) -> Copy:
    member = shape.member.name
    least, most = _bounds(shape, strict)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list | tuple):
            raise Mismatch("wrong", path, f"must be a list, not {value!r}")
        if not least <= len(value) <= most:
            raise Mismatch("wrong", path, f"must have {least} to {most} members")
        checker = _checker(service, member, strict=strict)
        return [checker(item, f"{path}.{index}") for index, item in enumerate(value, 1)]

    return check


def _map(service: str, shape: MapShape, strict: bool) -> Copy:
    key_name, value_name = shape.key.name, shape.value.name

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch("wrong", path, f"must be a map, not {value!r}")
        of_key = _checker(service, key_name, strict=strict)
        of_value = _checker(service, value_name, strict=strict)
        return {of_key(k, path): of_value(v, f"{path}.{k}") for k, v in value.items()}

    return check


def _string(shape: Shape, strict: bool) -> Copy:
    least, most = _bounds(shape, strict)
    allowed = frozenset(shape.metadata.get("enum", ()))
    pattern = _pattern(shape) if strict else None

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise Mismatch("wrong", path, f"must be a string, not {value!r}")
        if allowed and value not in allowed:
            raise Mismatch("wrong", path, f"must be one of {sorted(allowed)}, not {value!r}")
        if not least <= len(value) <= most:
            raise Mismatch("wrong", path, f"must have {least} to {most} characters: {value!r}")
        if pattern is not None and not pattern.fullmatch(value):
            raise Mismatch("wrong", path, f"must match {pattern.pattern}, not {value!r}")
        return value

    return check


def _scalar(shape: Shape, types: tuple[type, ...], wanted: str, *, strict: bool) -> Copy:
    least, most = _bounds(shape, strict)
    is_number = shape.type_name in ("integer", "long", "float", "double")

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, types) or (is_number and isinstance(value, bool)):
            raise Mismatch("wrong", path, f"must be {wanted}, not {value!r}")
        if isinstance(value, int | float) and not least <= value <= most:
            raise Mismatch("wrong", path, f"must be {least} to {most}, not {value}")
        if not strict and isinstance(value, datetime) and value.tzinfo is None:
            raise Mismatch("wrong", path, "must have a time zone")
        return value

    return check


_SCALARS: dict[str, tuple[tuple[type, ...], str]] = {
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
    "timestamp": ((datetime,), "a time"),
    "blob": ((bytes, bytearray, str), "bytes"),
}


def _bounds(shape: Shape, strict: bool) -> tuple[float, float]:
    if not strict:
        return float("-inf"), float("inf")
    return shape.metadata.get("min", float("-inf")), shape.metadata.get("max", float("inf"))


def _pattern(shape: Shape) -> re.Pattern[str] | None:
    try:
        return re.compile(shape.metadata["pattern"], re.DOTALL)
    except (KeyError, re.error):  # AWS writes Java's expressions; a few are none in Python
        return None
