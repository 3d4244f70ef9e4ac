"""Fleet documents from their schema: good ones are read as they are, spoilt ones are refused."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ovenbird import fleet, schema
from ovenbird.core.quotes import ODD
from ovenbird.errors import BadFleet
from tests.hostile.mutations import spoilt, values
from tests.hostile.witness import standing_still
from tests.stories import fleets
from tests.stories.world import BUCKET, present

EXAMPLES = hypothesis_settings.get_profile("hostile")
SCHEMA = fleet.document_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def good(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a part of the schema allows."""
    match part["type"]:
        case [*kinds]:
            return st.one_of([good(part | {"type": kind}) for kind in kinds])
        case "object" if "properties" in part:
            fields = {name: good(inner) for name, inner in part["properties"].items()}
            required = {name: fields.pop(name) for name in part.get("required", ())}
            return st.fixed_dictionaries(required, optional=fields)
        case "object":
            names = st.from_regex(part["propertyNames"]["pattern"].rstrip("$"), fullmatch=True)
            return st.dictionaries(names, good(part["additionalProperties"]), max_size=3)
        case "array":
            return st.lists(
                good(part["items"]),
                min_size=part.get("minItems", 0),
                max_size=min(part.get("maxItems", 4), 4),
                unique=part.get("uniqueItems", False),
            )
        case "string" if "enum" in part:
            return st.sampled_from(part["enum"])
        case "string" if "pattern" in part:
            pattern = part["pattern"].removeprefix("^").removesuffix("$")
            texts = st.from_regex(f"(?a:{pattern})", fullmatch=True)
            return texts.map(lambda text: text.replace("\0", "0"))
        case "string":
            least, most = part.get("minLength", 0), part.get("maxLength", 100)
            return TEXT.filter(lambda text: least <= len(text) <= most)
        case "integer":
            return st.integers(part["minimum"], part["maximum"])
    return st.booleans()


OF_THE_SHELL = {"BASHOPTS", "BASH_ENV", "BASH_VERSINFO", "ENV", "EUID", "IFS", "PPID", "SHELLOPTS"}
OF_THE_SHELL |= {"UID"}


def within_the_rest(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, within the rules that a schema cannot say."""
    roll = document.get("roll", {})
    if "checkpoints" in roll:
        roll["checkpoints"] = sorted({*roll["checkpoints"], 100})
    if "min_healthy_percent" in roll and "max_healthy_percent" in roll:
        roll["max_healthy_percent"] = min(
            roll["max_healthy_percent"], roll["min_healthy_percent"] + 100
        )
    for source in document.get("release", {}).values():
        if isinstance(source, dict) and "artifact" in source:
            source["artifact"] = source["artifact"].replace("{", "").replace("}", "")
    commits = document.get("release", {}).get("codecommit", {"tag": "*"})
    if "tag" not in commits:
        commits.setdefault("branch", "main")
    names = document.get("bake", {}).get("environment", {})
    for name in [name for name in names if name.startswith("OVENBIRD_") or name in OF_THE_SHELL]:
        del names[name]
    if "secrets" in document.get("bake", {}):
        document["bake"]["secrets"] = [
            name for name in document["bake"]["secrets"] if name in names
        ]
    return document


DOCUMENTS = good(SCHEMA).map(within_the_rest)


def read_back(read: fleet.Fleet) -> dict[str, Any]:
    """The document that a fleet was read from, with every default in place."""
    written = json.loads(json.dumps(dataclasses.asdict(read)))
    sections = {name: written[name] for name in ("release", "bake", "roll", "tags", "addresses")}
    for section in [*sections.values(), *sections["release"].values()]:
        if isinstance(section, dict):
            for name in [name for name, value in section.items() if value is None]:
                del section[name]
    sections["release"]["events"] = sections["release"].get("events", False)
    return {"groups": [written["group"]], **sections}


@hypothesis_settings(EXAMPLES, max_examples=60)
@given(DOCUMENTS)
def test_good_documents_are_read_as_they_are(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    read = fleet.parse("web", json.dumps(document))
    whole = schema.with_defaults(SCHEMA, document)
    whole.pop("$schema", None)
    if whole["release"]["events"] is True:
        whole["release"]["events"] = {"exclude": [], "accounts": []}
    assert read_back(read) == whole


@hypothesis_settings(EXAMPLES, max_examples=150)
@given(DOCUMENTS.flatmap(spoilt) | values)
def test_spoilt_documents_are_refused_in_one_sentence(document: Any) -> None:
    text = json.dumps(document)
    try:
        fleet.parse("web", text)
    except BadFleet as refused:
        sentence = str(refused)
        assert sentence.startswith("Fleet web: ")
        assert sentence.endswith(".")
        assert len(sentence) < 1000
        assert not ODD.search(sentence)
    else:
        VALIDATOR.validate(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="open"),
        pytest.param("[" * 4000, id="deep"),
        pytest.param('{"groups": ' + "[" * 4000 + "]" * 4000 + "}", id="deep and whole"),
        pytest.param('{"groups": ["web"], "addresses": {"count": 1e999}}', id="infinite"),
        pytest.param('{"groups": ["web"], "addresses": {"count": NaN}}', id="no number"),
        pytest.param(
            '{"groups": ["web"], "addresses": {"count": ' + "9" * 5000 + "}}", id="too many digits"
        ),
        pytest.param('{"groups": ["we\\u0000b"]}', id="NUL"),
        pytest.param('{"groups": ["web"], "bake": {"install": ["\\ud800"]}}', id="a half"),
        pytest.param("\ufeff{}", id="byte order mark"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
    ],
)
def test_texts_that_are_no_document(text: str) -> None:
    with pytest.raises(BadFleet, match=r"^Fleet web: .{1,300}\.$"):
        fleet.parse("web", text)


@pytest.mark.parametrize("name", ["", "Web", "../web", "web\n", "\ud800", "w" * 1_000_000])
def test_names_that_are_no_fleet(name: str) -> None:
    with pytest.raises(BadFleet, match=r"^The fleet's name is .{1,400}\.$"):
        fleet.parse(name, '{"groups": ["web"]}')


def test_a_bad_document_does_not_hide_the_other_fleets() -> None:
    with present() as world:
        fleets.make(world, addresses=0)
        for name, text in (("deep", "[" * 4000), ("junk", "\u202e{"), ("Web", "{}")):
            world.operator(
                "ssm",
                "PutParameter",
                Name=f"/ovenbird/fleets/{name}",
                Type="String",
                Value=text,
            )
        stars = {"s3": {"bucket": BUCKET, "key": "*a" * 300 + "*b"}}  # .* would take for ever
        world.operator(
            "ssm",
            "PutParameter",
            Name="/ovenbird/fleets/stars",
            Type="String",
            Value=json.dumps({"groups": ["stars"], "release": stars}),
        )
        with standing_still(world) as witness:
            push = {
                "source": "aws.s3",
                "detail-type": "Object Created",
                "time": "2026-01-05T09:00:00Z",
                "detail": {
                    "bucket": {"name": BUCKET},
                    "object": {"key": f"web/{'a' * 900}.tar.gz"},
                },
            }
            outcome = witness.ask("accept_release", push)
            assert outcome.change is not None
            assert outcome.change.operation == "StartExecution"
            outcome = witness.ask(
                "accept_release",
                push | {"detail": {"bucket": {"name": BUCKET}, "object": {"key": "no"}}},
            )
            assert sorted(outcome.answer["bad_fleets"]) == ["Web", "deep", "junk"]
