"""All mistakes of a document at once, each in a sentence that names what was probably meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ovenbird import fleet
from ovenbird.errors import BadFleet


def mistakes(document: Any) -> tuple[str, ...]:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(BadFleet) as refused:
        fleet.parse("web", text)
    return refused.value.mistakes


def test_every_mistake_is_told_at_once() -> None:
    document = {
        "group": ["web"],
        "release": {"s3": {"bucket": "Acme", "key": ""}},
        "roll": {"min_healthy_percent": "all", "checkpoints": [50]},
        "bake": {"environment": {"OVENBIRD_FLEET": "x", "OVENBIRD_X": "y"}},
    }
    told = mistakes(document)
    assert [each.split(" ")[0] for each in told] == [
        "groups",
        "group",
        "release.s3.bucket",
        "release.s3.key",
        "roll.min_healthy_percent",
        "bake.environment.OVENBIRD_FLEET",
        "bake.environment.OVENBIRD_X",
    ]


def test_what_the_schema_cannot_say_is_told_of_the_sections_that_it_finds_good() -> None:
    document = {
        "groups": [],
        "roll": {"checkpoints": [50]},
        "release": {"codecommit": {"repository": "web"}},
    }
    told = mistakes(document)
    assert [each.split(" ")[0] for each in told] == [
        "groups",
        "release.codecommit",
        "roll.checkpoints",
    ]


def test_the_text_has_the_first_ten_and_how_many_more() -> None:
    with pytest.raises(BadFleet) as refused:
        fleet.parse("web", json.dumps({"groups": ["web"]} | {f"x{n:02}": 1 for n in range(14)}))
    assert str(refused.value).startswith("Fleet web: x00 is not known here")
    assert str(refused.value).endswith(" And 4 more.")
    assert len(refused.value.mistakes) == 14


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        pytest.param("releases", "release", id="a letter more"),
        pytest.param("adresses", "addresses", id="a letter less"),
        pytest.param("rol", "roll", id="a short name"),
        pytest.param("Bake", "bake", id="a capital"),
    ],
)
def test_the_field_that_was_probably_meant_is_named(field: str, meant: str) -> None:
    (told,) = mistakes({"groups": ["web"], field: {}})
    assert told.startswith(f"{field} is not known here (did you mean {meant}?); ")


def test_a_field_like_no_other_is_only_not_known() -> None:
    (told,) = mistakes({"groups": ["web"], "scale": {}})
    assert told.startswith("scale is not known here; the document may have: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            '{"groups": ["web"], "groups": ["api"]}',
            "groups stands twice; it must be there once.",
            id="at the top",
        ),
        pytest.param(
            '{"groups": ["web"], "roll": {"pin": true, "pin": true}}',
            "roll.pin stands twice; it must be there once.",
            id="also where both say the same",
        ),
        pytest.param(
            '{"groups": ["web"], "bake": {"environment": {"A": "1", "A": "2", "A": "3"}}}',
            "bake.environment.A stands twice; it must be there once.",
            id="deeper, three times",
        ),
        pytest.param(
            '{"groups": ["web"], "roll": {"stall_minutes": 5}, "roll": {"pin": true}}',
            "roll stands twice; it must be there once.",
            id="a whole section",
        ),
    ],
)
def test_a_field_that_stands_twice_is_refused(text: str, told: str) -> None:
    assert mistakes(text) == (told,)


def test_a_field_that_stands_twice_is_one_mistake_among_others() -> None:
    told = mistakes('{"groups": ["web"], "groups": 7, "rol": {}}')
    assert told[0] == "groups stands twice; it must be there once."
    assert len(told) == 3


def test_thousands_of_mistakes_end_somewhere() -> None:
    assert len(mistakes({f"x{n}": 1 for n in range(2000)})) == 100


def test_what_is_no_json_is_one_mistake() -> None:
    (told,) = mistakes("groups: [web]")
    assert told.startswith("Fleet web: the document is not JSON")
