"""JSONPath reference paths: ``$``, ``$.a.b``, ``$['a'][0]``, and the same on ``$$``.

State data is never changed in place: what is written shares its other parts with what was there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.stories.asl.failures import BadDefinition, StateFailed

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^']+)'\]|\[(\d+)\]")
Step = str | int


@cache
def steps(path: str) -> tuple[Step, ...]:
    """Split a path after its ``$`` or ``$$``.

    Raises:
        BadDefinition: The path is not a reference path.
    """
    rest = path.removeprefix("$").removeprefix("$")
    if not path.startswith("$"):
        raise BadDefinition(f"{path!r} is no path; it must begin with $")
    found: list[Step] = []
    while rest:
        step = _STEP.match(rest)
        if not step:
            raise BadDefinition(f"{path!r} is no reference path (at {rest!r})")
        name, quoted, index = step.groups()
        found.append(int(index) if index is not None else name or quoted)
        rest = rest[step.end() :]
    return tuple(found)


def present(path: str, state: Any, context: Any) -> bool:
    """Whether there is anything at the path."""
    try:
        _walk(path, state, context)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def read(path: str, state: Any, context: Any) -> Any:
    """What lies at the path.

    Raises:
        StateFailed: ``States.Runtime``; nothing is there. Retry and Catch never see this one.
    """
    try:
        return _walk(path, state, context)
    except (KeyError, IndexError, TypeError):
        raise StateFailed(
            "States.Runtime", f"The JSONPath {path!r} could not be found in the input"
        ) from None


def place(path: str | None, state: Any, result: Any) -> Any:
    """What ``ResultPath`` makes of a state's input and its result (``null`` drops the result)."""
    if path is None:
        return state
    if path.startswith("$$"):
        raise BadDefinition(f"ResultPath {path!r} points into the context object")
    where = steps(path)
    if not where:
        return result
    return _with(state, where, result, path)


def _with(state: Any, where: tuple[Step, ...], result: Any, path: str) -> Any:
    if not where:
        return result
    if not isinstance(state, dict):
        raise StateFailed("States.ResultPathMatchFailure", f"{path} does not fit the input")
    return {**state, where[0]: _with(state.get(where[0], {}), where[1:], result, path)}


def _walk(path: str, state: Any, context: Any) -> Any:
    found = context if path.startswith("$$") else state
    for step in steps(path):
        if isinstance(step, int) != isinstance(found, list):
            raise KeyError(step)
        found = found[step]
    return found
