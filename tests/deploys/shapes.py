"""Which fields a state has, and states that lack some of them."""

from __future__ import annotations

from typing import Any

Path = tuple[str, ...]
MAPS = ("overrides", "targets", "waiting")  # whose keys are ids


def fields(state: Any, before: Path = ()) -> set[Path]:
    """The paths of all fields; what stands in lists and maps is a value."""
    found: set[Path] = set()
    if isinstance(state, dict) and not _is_map(before):
        for name, value in state.items():
            found |= {(*before, name)} | fields(value, (*before, name))
    return found


def cut(state: Any, kept: set[Path], before: Path = ()) -> Any:
    """The state with the fields that are kept, and nothing else."""
    if not isinstance(state, dict) or _is_map(before):
        return state
    return {
        name: cut(value, kept, (*before, name))
        for name, value in state.items()
        if (*before, name) in kept
    }


def without(state: Any, path: Path) -> Any:
    """The state without one field."""
    return cut(state, {each for each in fields(state) if each[: len(path)] != path})


def with_more(state: Any, before: Path = ()) -> Any:
    """The state with a field of a later version in every part of it."""
    if not isinstance(state, dict) or _is_map(before):
        return state
    more = {"of_a_later_version": {"next": "wait", "since": None, "rings": [1]}}
    return {name: with_more(value, (*before, name)) for name, value in state.items()} | more


def _is_map(path: Path) -> bool:
    return bool(path) and path[-1] in MAPS
