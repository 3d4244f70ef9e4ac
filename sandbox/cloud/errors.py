"""The error that an AWS service answers with."""

from __future__ import annotations


class AwsError(Exception):
    """An AWS error answer: ``code`` is what boto3 shows as ``Error.Code`` (no ``Fault`` suffix)."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
