"""Client tokens: the same token with the same request is the same effect."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from sandbox.cloud.errors import AwsError

T = TypeVar("T")


class Tokens(Generic[T]):
    """What each token made. Source: EC2 Developer Guide, Ensuring idempotency."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, T]] = {}

    def made(self, params: dict[str, Any]) -> T | None:
        """What this request's token made before, or ``None``.

        Raises:
            AwsError: It was used with other parameters.
        """
        known = self._made.get(params.get("ClientToken", ""))
        if known is None:
            return None
        if known[0] != _fingerprint(params):
            raise AwsError(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in"
                " previous request(s).",
            )
        return known[1]

    def keep(self, params: dict[str, Any], made: T) -> T:
        """Remember what the request made (a request without a token is forgotten)."""
        if params.get("ClientToken"):
            self._made[params["ClientToken"]] = (_fingerprint(params), made)
        return made


def _fingerprint(params: dict[str, Any]) -> str:
    return json.dumps(params, sort_keys=True, default=str)
