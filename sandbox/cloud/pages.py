"""The pages of describe calls with ``MaxResults`` and ``NextToken``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from sandbox.cloud.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T],
    params: dict[str, Any],
    *,
    least: int = 5,
    most: int = 1000,
    ids: str = "",
    bad_token: str = "InvalidPaginationToken",
) -> tuple[list[T], dict[str, str]]:
    """The page that ``MaxResults`` and ``NextToken`` ask for, and the token of the next one.

    Args:
        ids: The member that holds ids, where AWS allows either ids or pages (DescribeInstances).
        bad_token: The service's code for a token that it never gave out.
    """
    size = params.get("MaxResults")
    if ids and size is not None and params.get(ids):
        raise AwsError(
            "InvalidParameterCombination",
            f"The parameter {ids} cannot be used with the parameter maxResults",
        )
    if size is not None and not least <= size <= most:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. "
            f"Expecting a value between {least} and {most}.",
        )
    start = _position(params["NextToken"], bad_token) if params.get("NextToken") else 0
    end = len(items) if size is None else start + size
    if end >= len(items):
        return list(items[start:]), {}
    token = base64.b64encode(f"from {end}".encode()).decode()
    return list(items[start:end]), {"NextToken": token}


def _position(token: str, bad_token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True).decode().removeprefix("from "))
    except (binascii.Error, ValueError) as error:
        raise AwsError(bad_token, "The pagination token is not valid") from error
