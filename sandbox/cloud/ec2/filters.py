"""The ``Filters`` of EC2's describe calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sandbox.cloud.errors import AwsError

T = TypeVar("T")
Field = Callable[[T], Iterable[str]]


def chosen(
    wanted: Sequence[dict[str, Any]],
    things: Iterable[T],
    fields: Mapping[str, Field[T]],
    tags: Callable[[T], dict[str, str]],
) -> list[T]:
    """The things that satisfy every filter; a filter is satisfied by any of its values.

    Values are case-sensitive and may hold ``*`` and ``?``. Source: EC2 User Guide, List and filter
    your resources.

    Raises:
        AwsError: There is no filter of that name.
    """
    tests = [_test(item, fields, tags) for item in wanted]
    return [thing for thing in things if all(test(thing) for test in tests)]


def _test(
    item: dict[str, Any], fields: Mapping[str, Field[T]], tags: Callable[[T], dict[str, str]]
) -> Callable[[T], bool]:
    name = item.get("Name", "")
    patterns = [_pattern(value) for value in item.get("Values", ())]

    def satisfied(values: Iterable[str]) -> bool:
        return any(pattern.fullmatch(value) for value in values for pattern in patterns)

    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda thing: key in tags(thing) and satisfied([tags(thing)[key]])
    if name == "tag-key":
        return lambda thing: satisfied(tags(thing))
    if name not in fields:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    field = fields[name]
    return lambda thing: satisfied(field(thing))


@lru_cache(maxsize=1024)
def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(re.escape(value).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
