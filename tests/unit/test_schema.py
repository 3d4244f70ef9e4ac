"""Our reading of the fleet schema agrees with the jsonschema library's, document for document."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovenbird import schema
from ovenbird.fleet import document_schema

VALIDATOR = jsonschema.Draft202012Validator(document_schema())
TEXTS = st.sampled_from(
    "web||a|Refresh|Wait|Terminate|ami-0123456789abcdef0|main|/aws/service/x|acme-releases|A_B"
    "|s3://acme-releases/{revision}|web/*.tar.gz|too long a text".replace(" ", "x" * 90).split("|")
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 200_000)
    | st.sampled_from([0, 1, 60, 100, 150, 1.0, 60.0, 2.5])
    | TEXTS
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)


def documents(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Documents that are mostly right, so that the deep rules are reached too."""
    match part.get("type"):
        case [*kinds]:
            return st.one_of([documents(part | {"type": kind}) for kind in kinds])
        case "object" if "properties" in part:
            fields = {
                name: documents(inner) | ANYTHING for name, inner in part["properties"].items()
            }
            required = {name: fields.pop(name) for name in part.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "object":
            return st.dictionaries(TEXTS, TEXTS, max_size=3)
        case "array":
            return st.lists(documents(part["items"]) | SCALARS, max_size=4)
        case "string":
            return st.sampled_from(part["enum"]) if "enum" in part else TEXTS
        case "integer":
            return st.integers(part["minimum"] - 1, part["maximum"] + 1)
        case "boolean":
            return st.booleans()
    raise AssertionError(part)


@settings(max_examples=300, deadline=None)
@given(documents(document_schema()) | ANYTHING)
def test_agrees_with_jsonschema(document: Any) -> None:
    ours = list(schema.errors(document_schema(), document))
    theirs = list(VALIDATOR.iter_errors(document))
    assert bool(ours) == bool(theirs), (ours, theirs)


def test_the_schema_itself_is_good() -> None:
    jsonschema.Draft202012Validator.check_schema(document_schema())


def fields(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    for name, inner in part.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        yield where, inner, name in part.get("required", ())
        yield from fields(inner, where)


@pytest.mark.parametrize(
    ("name", "part", "required"),
    [pytest.param(*each, id=each[0]) for each in fields(document_schema())],
)
def test_every_field_is_told(name: str, part: dict[str, Any], required: bool) -> None:
    assert part["title"]
    assert part["description"].endswith(".")
    if "default" in part:
        assert not required
        assert not list(schema.errors(part, part["default"]))
    else:  # its absence means something, and the description says what
        told = "Without it" in part["description"]
        assert required or told or part["type"] == "object" or name == "$schema"


@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        pytest.param({"type": "integer"}, "7", 'f is "7"; it must be a whole number.', id="type"),
        pytest.param({"type": "integer"}, True, "f is true; it must be a whole number.", id="bool"),
        pytest.param(
            {"type": "integer", "minimum": 1}, 0, "f is 0; it must be at least 1.", id="minimum"
        ),
        pytest.param({"maximum": 1}, 2, "f is 2; it must be at most 1.", id="maximum"),
        pytest.param({"enum": ["a", "b"]}, "c", 'f is "c"; it must be one of a, b.', id="enum"),
        pytest.param(
            {"minLength": 1}, "", 'f is ""; it must be at least 1 characters long.', id="too short"
        ),
        pytest.param(
            {"maxLength": 1},
            "ab",
            'f is "ab"; it must be at most 1 characters long.',
            id="too long",
        ),
        pytest.param(
            {"pattern": "^a$"}, "a\n", 'f is "a\\n"; it must be a text that matches ^a$.', id="line"
        ),
        pytest.param({"minItems": 1}, [], "f is []; it must be a list of at least 1.", id="few"),
        pytest.param(
            {"maxItems": 1}, [1, 2], "f is [1, 2]; it must be a list of at most 1.", id="many"
        ),
        pytest.param(
            {"uniqueItems": True},
            [1, 1],
            "f is [1, 1]; it must be a list in which nothing stands twice.",
            id="twice",
        ),
        pytest.param(
            {"items": {"type": "string"}}, [1], "f[0] is 1; it must be a text.", id="in a list"
        ),
        pytest.param({"required": ["g"]}, {}, "f.g is missing; it must be there.", id="missing"),
        pytest.param(
            {"properties": {"g": {}, "h": {}}, "additionalProperties": False},
            {"i": 1},
            "f.i is not known here; f may have: g, h.",
            id="unknown",
        ),
        pytest.param(
            {"additionalProperties": {"type": "string"}},
            {"g": 1},
            "f.g is 1; it must be a text.",
            id="others",
        ),
        pytest.param(
            {"propertyNames": {"pattern": "^a$"}},
            {"b": 1},
            "f.b is not a possible name; it must match ^a$.",
            id="name",
        ),
    ],
)
def test_says_what_is_wrong(part: dict[str, Any], value: Any, sentence: str) -> None:
    assert list(schema.errors(part, value, "f")) == [sentence]


def test_one_is_not_true() -> None:
    assert schema.first_error({"uniqueItems": True}, [1, True]) is None
    assert schema.first_error({"enum": [1]}, True) is not None


def test_a_keyword_that_nothing_checks_is_loud() -> None:
    with pytest.raises(ValueError, match="oneOf"):
        schema.first_error({"oneOf": []}, {})


def test_a_long_value_is_cut() -> None:
    told = schema.first_error({"type": "integer"}, "x" * 500)
    assert told is not None
    assert len(told) < 120


def test_defaults_fill_in_at_every_depth_and_change_nothing_given() -> None:
    document = {"groups": ["web"], "roll": {"stall_minutes": 7}}
    before = copy.deepcopy(document)
    filled = schema.with_defaults(document_schema(), document)
    assert document == before
    assert filled["roll"]["stall_minutes"] == 7
    assert filled["roll"]["give_up_after_minutes"] == 240
    assert filled["addresses"] == {"count": 0}
