"""The error that an AWS service answers with."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An AWS error answer: ``code`` is what boto3 shows as ``Error.Code`` (no ``Fault`` suffix).

    ``members`` are what the error's shape has besides, as boto3 shows them beside ``Error``.
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members
