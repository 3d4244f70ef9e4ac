"""``docs/reference.md`` forgets nothing, and names nothing that does not exist."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ovenbird import entry, errors, settings
from ovenbird.core import bakes, blueprints, images, releases, templates
from ovenbird.events import by_hand
from tests.template import reference
from tests.template.deployed import ROOT, functions, resources

CODE = ROOT / "layers/ovenbird/ovenbird"
PAGE = reference.PAGE.read_text()
_CODE_SPAN = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    """What stands under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", PAGE, re.M | re.S)
    assert found, f"docs/reference.md has no heading {title!r}"
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of all tables under a heading, without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    rules = {index for index, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for i, row in enumerate(cells) if i not in rules and i + 1 not in rules]


def named(title: str, column: int = 0) -> list[str]:
    """What a column of the tables under a heading names in code, in the order of the page."""
    return [name for row in rows(title) for name in _CODE_SPAN.findall(row[column])]


def first(title: str) -> set[str]:
    """The first cells of the rows under a heading, each one name in code."""
    return {row[0].strip("`") for row in rows(title)}


def classes(base: type) -> Iterator[type]:
    """The classes at the ends of the tree."""
    below: list[type] = base.__subclasses__()
    yield from [base] if not below else [leaf for each in below for leaf in classes(each)]


FAILURES = {each.__name__: each for each in classes(errors.OvenbirdError)}


def source(*folders: str) -> str:
    paths = [path for folder in folders for path in sorted(ROOT.glob(folder))]
    return "\n".join(path.read_text() for path in paths)


def test_the_tables_are_those_of_their_sources() -> None:
    assert sorted(reference.marked(PAGE)) == sorted(reference.TABLES)
    assert reference.with_tables(PAGE) == PAGE, "run: python -m tests.template.reference"


def test_the_contents_lead_to_every_chapter() -> None:
    linked = re.findall(r"\[([\w -]+)\]\(#", PAGE.split("\n## ")[0])
    assert linked == re.findall(r"^## (.+)$", PAGE, re.M)


def test_every_sample_is_described() -> None:
    samples = {path.name for path in (ROOT / "events").glob("*.json")}
    assert first("Events") | first("By hand") == samples
    assert set(named("By hand", 1)) <= set(functions())


def test_an_event_is_named_as_its_sample_is() -> None:
    for row in rows("Events"):
        event = json.loads((ROOT / "events" / row[0].strip("`")).read_text())
        kind = event.get("detail-type", "")
        said = row[1] if not row[1].startswith("…") else f"Instance Refresh {row[1][2:]}"
        assert kind == "" or kind.endswith(said.replace("`", "").split(", ")[-1].split(" of a ")[0])


def test_payloads_by_hand_have_the_fields_that_are_read() -> None:
    release = {f"release.{name}" for name in by_hand._RELEASE}
    assert first("A release") == by_hand._FIELDS - {"release"} | release
    assert first("A roll-back") == by_hand._BACK_FIELDS


def test_every_function_and_what_it_raises() -> None:
    assert named("Functions") == [
        "accept_release",
        "check_fleet",
        "plan_rollout",
        "bake_image",
        "publish_template",
        "roll_group",
        "move_address",
        "settle_rollout",
        "undo_rollout",
        "recover_rollout",
        "ring_doorbell",
        "answer_alarm",
    ]
    assert set(named("Functions")) == set(functions())
    assert set(named("Functions", 4)) <= set(FAILURES)


@pytest.mark.parametrize("step", sorted(functions()))
def test_what_a_step_raises_itself_is_named(step: str) -> None:
    tree = ast.parse((CODE / f"steps/{step}.py").read_text())
    raised = {
        node.exc.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
    }
    (told,) = (row[4] for row in rows("Functions") if row[0] == f"`{step}`")
    everybodys = {"Throttled", "Unavailable", "Denied", "NotFound", "BadSettings"}
    assert raised & set(FAILURES) <= set(_CODE_SPAN.findall(told)) | everybodys


def test_every_failure_and_whether_it_is_tried_again() -> None:
    told = {row[0].strip("`"): row[2] for row in rows("Failures")}
    assert set(told) == set(FAILURES) | {"UnknownAnswer"}
    for name, failure in FAILURES.items():
        again = issubclass(failure, errors.Retryable)
        assert told[name] == ("yes" if again else "no"), name


def test_every_result() -> None:
    found = re.findall(
        r'_end\("([\w-]+)"|"result": "([\w-]+)"|^    result = "([\w-]+)" if .* else "([\w-]+)"',
        source("layers/ovenbird/ovenbird/steps/*.py"),
        re.M,
    )
    assert set(named("Results")) == {name for names in found for name in names if name}


def test_every_metric_and_its_dimensions() -> None:
    counted = {
        key.value
        for path in (CODE / "steps").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for dictionary in _counts(node)
        for key in dictionary.keys
        if isinstance(key, ast.Constant)
    }
    made = re.findall(r'add_metric\("(\w+)"', (CODE / "entry.py").read_text())
    assert set(named("Metrics")) == counted | set(made)
    assert f"`{entry.NAMESPACE}`" in section("Metrics")
    written = (CODE / "entry.py").read_text()
    dimensions = re.findall(r'add_dimension\("(\w+)"|add_dimensions\((\w+)=', written)
    assert {"step", "result", "failure"} == {name for names in dimensions for name in names if name}
    assert {"step", "result", "failure"} <= set(named("Metrics", 2))


def _counts(node: ast.AST) -> Iterator[ast.Dict]:
    """The dictionaries that a step counts with, be they given, assigned or added."""
    given = isinstance(node, ast.keyword) and node.arg == "counts"
    assigned = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "counts"
    added = isinstance(node, ast.AugAssign) and ast.unparse(node.target) == "counts"
    if (given or assigned or added) and isinstance(node.value, ast.Dict):  # type: ignore[attr-defined]
        yield node.value  # type: ignore[attr-defined]


def test_every_field_of_the_log() -> None:
    tree = ast.parse((CODE / "entry.py").read_text())
    extra = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "extra"
        and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant)
    }
    assert set(named("Logs")) == set(entry._keys("step", {}, None)) | extra


def test_every_tag() -> None:
    used = set(re.findall(r"ovenbird:[a-z][a-z-]*", source("layers/ovenbird/ovenbird/**/*.py")))
    assert set(named("Tags")) == used


def test_every_item_of_the_ledger_and_its_attributes() -> None:
    told: dict[str, set[str]] = {}
    for item, attribute, _ in rows("Ledger"):
        if item:
            kind = item.strip("`").split("#")[0]
            told[kind] = set()
        told[kind].add(attribute.strip("`"))
    wrote: dict[str, set[str]] = {}
    for path in sorted((CODE / "ledger").glob("[!_]*.py")):
        text = path.read_text()
        here = set(re.findall(r'f"(\w+)#\{', text))
        written = set(re.findall(r"(?<!\w)#([a-z_]+)\b", text)) - {"pk", "name", "a", "b"}
        assert written <= set[str]().union(*(told[kind] for kind in here)) or not here, path.name
        for kind in here:
            wrote[kind] = wrote.get(kind, set()) | written
    assert set(told) == set(wrote)
    for kind, attributes in told.items():  # one that is named after a hash is written as such
        assert {each for each in attributes if "<" not in each} <= wrote[kind], kind


def test_every_environment_variable() -> None:
    used = set(
        re.findall(
            r"\b(?:OVENBIRD|POWERTOOLS)_[A-Z]+(?:_[A-Z]+)*\b",
            source("layers/ovenbird/ovenbird/**/*.py", "sandbox/**/*.py", "template.yaml"),
        )
    )
    assert set(settings._RULES) <= used
    assert first("Environment variables") == used


def test_every_parameter_lies_where_the_settings_say() -> None:
    adapter = (CODE / "aws/parameters.py").read_text()
    below = set(re.findall(r'f"\{_path\(name\)\}(/\w+)"', adapter))
    assert set(named("Parameters")) - {"aws:ec2:image"} == {
        f"/ovenbird/fleets/<name>{end}" for end in below | {""}
    }


def test_fixed_limits_have_the_values_that_the_code_has() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("Fixed limits")}
    assert {name: _value(text) for name, text in told.items()} == {
        name: _constant(name) for name in told
    }
    spans = {
        f"{module}.{name}"
        for module, path in _modules()
        for name in re.findall(r"^([A-Z_]+) = timedelta\(", path.read_text(), re.M)
    }
    limits = {each.name for each in fields(bakes.Limits)} - {"script"}  # that one can be set
    assert spans | {f"core.bakes.Limits.{name}" for name in limits} <= set(told)


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(CODE.glob("*/*.py")):
        yield f"{path.parent.name}.{path.stem}", path


def _value(text: str) -> timedelta | int:
    number, _, unit = text.partition(" ")
    return timedelta(**{unit.removesuffix("s") + "s": int(number)}) if unit else int(number)


def _constant(name: str) -> Any:
    module, _, last = name.rpartition(".")
    if module == "core.bakes.Limits":
        return getattr(bakes.Limits(script=timedelta()), last)
    return getattr(importlib.import_module(f"ovenbird.{module}"), last)


def test_every_field_of_a_plan() -> None:
    tree = ast.parse((CODE / "steps/plan_rollout.py").read_text())
    written = {
        key.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in ("_plan", "_end")
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)
        for key in node.value.keys
        if isinstance(key, ast.Constant)
    }
    added = {"fence", "began", "document"}  # by the step, and not in a dry run
    assert first("A plan alone") == written | added


def test_names_are_made_as_the_page_says() -> None:
    release = releases.Release("s3", id="x", revision="x", digest="x", at="x")
    ids = (
        releases.rollout_id("<fleet>", release),
        releases.roll_back_id("<fleet>", "x", ""),
        releases.rollout_id("<fleet>", release, dry_run=True),
    )
    image = images.choose("<fleet>", "<bake key>", [], {}, "")
    assert isinstance(image, images.Bake)
    builder = blueprints.tags("<fleet>", "x", {})
    bake = re.findall(r'return f"(Ovenbird [^"]*)"', (CODE / "steps/bake_image.py").read_text())
    machines = [
        each["StateMachineName"]["Fn::Sub"].replace("${AWS::StackName}", "<stack>")
        for each in resources("AWS::StepFunctions::StateMachine").values()
    ]
    assert {row[0]: row[1] for row in rows("Names")} == {
        "rollout and execution": "`{}`; `{}` for a roll-back by hand, `{}` for a dry run".format(
            *(re.sub("[0-9a-f]{16}$", "<hash>", each) for each in ids)
        ),
        "image": f"`{image.name}`; `-2`, `-3` … after a bad or failed one",
        "builder": f"tag `Name`: `{builder['Name']}`",
        "Run Command's comment": f"`{bake[0].replace('{self.wanted.rollout}', '<rollout>')}`",
        "description of a launch template version": (
            f"`{templates.description('<rollout>', '<revision>')}`"
        ),
        "state machines": ", ".join(f"`{name}`" for name in machines),
    }
