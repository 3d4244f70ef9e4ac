"""The part of JSON Schema that ``fleet.schema.json`` uses, in a few lines and with good sentences.

No schema library travels to Lambda: it would cost more at every cold start than all of our own
code. A keyword that is not known here is refused when the schema is read, so the two cannot drift;
the tests compare every verdict with the jsonschema library's.

Source: JSON Schema, draft 2020-12, "Core" and "Validation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ovenbird.core.names import nearest
from ovenbird.core.quotes import plain, quoted

Schema = dict[str, Any]

_TOLD = {"$schema", "title", "description", "default"}
_CHECKED = {
    "type",
    "enum",
    "required",
    "properties",
    "additionalProperties",
    "propertyNames",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
}
_TIME = "date-time"
# Stricter than JSON Schema: no name in AWS and no script can hold NUL or half a character.
_NOWHERE = re.compile(r"[\x00\ud800-\udfff]")
_NAMES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def first_error(schema: Schema, value: Any, field: str = "") -> str | None:
    """The first thing that is wrong, as a sentence (field, value, what is right), or ``None``."""
    return next(errors(schema, value, field), None)


def errors(schema: Schema, value: Any, field: str = "") -> Iterator[str]:
    """Everything that is wrong, in the order of the document.

    What the schema says nothing of is not looked into, however deep it is.
    """
    unknown = schema.keys() - _TOLD - _CHECKED | {schema.get("format", _TIME)} - {_TIME}
    if unknown:
        raise ValueError(f"the schema uses {sorted(unknown)}, which nothing here checks")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(kind, value) for kind in kinds):
        yield _sentence(field, value, " or ".join(_NAMES[kind] for kind in kinds))
        return
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        yield _sentence(field, value, "one of " + ", ".join(map(str, schema["enum"])))
    if isinstance(value, str):
        yield from _text(schema, value, field)
    elif isinstance(value, list):
        yield from _list(schema, value, field)
    elif isinstance(value, dict):
        yield from _object(schema, value, field)
    elif _is("number", value):
        yield from _number(schema, value, field)


def with_defaults(schema: Schema, value: Any) -> Any:
    """The value with the schema's defaults in place of what is missing, at every depth."""
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = dict(value)
    for name, inner in schema["properties"].items():
        if name not in filled and "default" in inner:
            filled[name] = inner["default"]
        if name in filled:
            filled[name] = with_defaults(inner, filled[name])
    return filled


def _text(schema: Schema, value: str, field: str) -> Iterator[str]:
    if odd := _NOWHERE.search(value):
        yield _sentence(field, value, f"a text without U+{ord(odd[0]):04X}")
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if len(value) < shortest:
        yield _sentence(field, value, f"at least {shortest} characters long")
    if longest is not None and len(value) > longest:
        yield _sentence(field, value, f"at most {longest} characters long")
    if "pattern" in schema and not _matches(schema["pattern"], value):
        yield _sentence(field, value, f"a text that matches {schema['pattern']}")
    elif schema.get("format") == _TIME and not _is_time(value):
        yield _sentence(field, value, "a time like 2026-01-05T09:00:00+00:00")


def _list(schema: Schema, value: list[Any], field: str) -> Iterator[str]:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < fewest:
        yield _sentence(field, value, f"a list of at least {fewest}")
    if most is not None and len(value) > most:
        yield _sentence(field, value, f"a list of at most {most}")
    if schema.get("uniqueItems") and any(
        _same(one, other) for at, one in enumerate(value) for other in value[:at]
    ):
        yield _sentence(field, value, "a list in which nothing stands twice")
    for at, inner in enumerate(value) if "items" in schema else ():
        yield from errors(schema["items"], inner, f"{field}[{at}]")


def _object(schema: Schema, value: dict[str, Any], field: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_join(field, name)} is missing; it must be there."
    others = schema.get("additionalProperties", {})
    for name, inner in value.items():
        naming = schema.get("propertyNames", {})
        for _ in errors(naming, name) if naming else ():
            wanted = naming["pattern"]
            yield f"{_join(field, name)} is not a possible name; it must match {wanted}."
        if name in known:
            yield from errors(known[name], inner, _join(field, name))
        elif others is False:
            meant = nearest(name, known)
            hint = f" (did you mean {meant}?)" if meant else ""
            yield (
                f"{_join(field, name)} is not known here{hint}; "
                f"{field or 'the document'} may have: {', '.join(known)}."
            )
        elif others:
            yield from errors(others, inner, _join(field, name))


def _number(schema: Schema, value: float, field: str) -> Iterator[str]:
    least, greatest = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        yield _sentence(field, value, f"at least {least}")
    if greatest is not None and value > greatest:
        yield _sentence(field, value, f"at most {greatest}")


def _matches(pattern: str, value: str) -> bool:
    # In JSON Schema's (JavaScript's) expressions $ is the very end; in Python's a line may end
    # after it.
    return re.search(re.sub(r"\$$", r"\\Z", pattern), value) is not None


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "null":
            return value is None
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "integer":  # 1.0 is an integer in JSON Schema
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, int | float)
    return False


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: ``true`` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def _sentence(field: str, value: Any, wanted: str) -> str:
    return f"{field or 'The document'} is {quoted(value)}; it must be {wanted}."


def _join(field: str, name: str) -> str:
    return f"{field}.{plain(name)}" if field else plain(name)
