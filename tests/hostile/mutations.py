"""What may stand where something sensible should: values, and ways to spoil a JSON document."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

MEGABYTE = "x" * 1_000_000
Path = tuple[str | int, ...]


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


WRONG_TYPES: list[Any] = [None, True, 7, -1, 1.5, 10**40, float("nan"), [], {}, ["web"], {"a": 1}]
TEXTS = [
    "",
    " ",
    "7",
    "true",
    "null",
    "web\n",
    "we\x00b",
    "\ud800",  # half a character
    "\udc00\ud800",
    "web\u202egz.rat",  # the rest is written from right to left
    "\u0627\u0644\u0648\u064a\u0628",
    "💥" * 300,
    "💥" * 1024,
    "e\u0301" * 40,
    MEGABYTE,
    "../../../etc/passwd",
    "$(reboot)",
    "'; reboot; '",
    "{{ssm:/acme/secret}}",
    "${AWS::AccountId}",
    "nobody",
    "Web",
    "$Latest",
    "ami-00000000000000000",
    "ami-0000000x",
    "lt-00000000000000000",
    "i-00000000000000000",
    "999999999999",
    "mars-north-1",
    "arn:aws:iam::999999999999:role/admin",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59+00:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30T00:00:00+00:00",
    "2026-01-05T09:00:00",
    "now",
]
DEEP: list[Any] = [nested(400), {"a": nested(300)}, [{}] * 2000, {str(n): n for n in range(2000)}]
values = (
    st.sampled_from(WRONG_TYPES + TEXTS)
    | st.sampled_from(DEEP)
    | st.text(max_size=30)
    | st.integers()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=6,
    )
)
names = st.sampled_from(
    ["extra", "replay-name", "plan", "fleet", "source", "detail", "\ud800", "x" * 5000]
) | st.text(max_size=10)


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Every place in a document, the whole not included."""
    inner = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        inner = dict(enumerate(value))
    for step, part in inner.items():
        yield (*above, step)
        yield from paths(part, (*above, step))


def at(document: Any, path: Path) -> Any:
    for step in path:
        document = document[step]
    return document


def put(document: Any, path: Path, value: Any) -> Any:
    """A copy of the document with another value at one place."""
    changed = copy.deepcopy(document)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def without(document: Any, path: Path) -> Any:
    changed = copy.deepcopy(document)
    del at(changed, path[:-1])[path[-1]]
    return changed


@st.composite
def spoilt(draw: st.DrawFn, document: Any) -> Any:
    """The document with one to three things wrong in it."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(changed))
        kind = draw(st.sampled_from(["value", "value", "value", "gone", "more", "text", "wrapped"]))
        if not places or kind == "more":
            if isinstance(changed, dict):
                changed[draw(names)] = draw(values)
            continue
        path = draw(st.sampled_from(places))
        there = at(changed, path)
        if kind == "gone":
            changed = without(changed, path)
        elif kind == "text":
            changed = put(changed, path, str(there))
        elif kind == "wrapped":
            changed = put(changed, path, [there])
        else:
            changed = put(changed, path, draw(values))
    return changed
