"""Imports go one way: functions → steps → core, aws, ledger, fleet, events; core → nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LAYER = Path(__file__).parents[2] / "layers" / "ovenbird" / "ovenbird"
IMPURE = {
    "asyncio", "ctypes", "glob", "http", "importlib", "io", "logging", "multiprocessing", "os",
    "pathlib", "platform", "random", "secrets", "shutil", "signal", "socket", "ssl", "subprocess",
    "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
MAY_IMPORT = {
    "core": {"core"},
    "events": {"core", "errors", "events", "fleet", "schema"},
    "ledger": {"aws.clients", "aws.faults", "clock", "core", "errors", "ledger"},
    "aws": {"aws", "core", "errors", "fleet", "settings"},
    "steps": {
        "announcements",
        "answers",
        "arrivals",
        "audiences",
        "catalogue",
        "aws",
        "core",
        "errors",
        "events",
        "fleet",
        "ledger",
        "leftovers",
        "recovery",
        "settings",
        "surveys",
        "turns",
        "undoing",
    },
    "schema": {"core"},
    "fleet": {"core", "errors", "mistakes", "schema"},
    "mistakes": {"core", "schema"},
    "settings": {"core", "errors"},
    "turns": {"aws", "errors", "ledger", "recovery", "settings"},
    "recovery": {"aws", "core", "ledger"},
    "undoing": {"answers", "core", "errors", "events", "ledger"},
    "surveys": {"aws", "core", "errors", "fleet"},
    "arrivals": {"aws", "core"},
    "leftovers": {"answers", "aws", "core", "errors", "ledger", "surveys", "turns", "undoing"},
    "entry": {"answers", "clock", "core", "errors"},
    "announcements": {"aws", "core", "ledger", "settings"},
    "answers": {"core", "errors"},
    "audiences": {"aws", "catalogue", "core", "errors", "fleet", "settings"},
    "catalogue": {"aws", "ledger", "settings"},
    "clock": set[str](),
    "errors": set[str](),
}


def modules() -> list[Path]:
    return sorted(path for path in LAYER.rglob("*.py") if path.parent != LAYER / "__pycache__")


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, as an absolute name with its attribute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    return path.relative_to(LAYER).with_suffix("").parts[0]


def named(path: Path) -> str:
    return str(path.relative_to(LAYER))


@pytest.mark.parametrize("path", [p for p in modules() if room(p) == "core"], ids=named)
def test_core_imports_the_standard_library_and_itself(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        if top == "ovenbird":
            assert name.startswith("ovenbird.core"), name
        else:
            assert top in sys.stdlib_module_names, name
            assert top not in IMPURE, name


@pytest.mark.parametrize("path", [p for p in modules() if room(p) == "core"], ids=named)
def test_core_asks_no_clock(path: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"now", "utcnow", "today"}


@pytest.mark.parametrize("path", [p for p in modules() if room(p) != "__init__"], ids=named)
def test_imports_go_one_way(path: Path) -> None:
    allowed = MAY_IMPORT[room(path)]
    for name in imported(path):
        if name.startswith("ovenbird."):
            inner = name.removeprefix("ovenbird.")
            assert any(inner == each or inner.startswith(f"{each}.") for each in allowed), name


@pytest.mark.parametrize("path", [p for p in modules() if room(p) != "aws"], ids=named)
def test_boto3_is_spoken_in_one_place(path: Path) -> None:
    spoken = {name for name in imported(path) if name.split(".")[0] in {"boto3", "botocore"}}
    ledgers = {"boto3.dynamodb.types.TypeDeserializer", "boto3.dynamodb.types.TypeSerializer"}
    assert spoken <= (ledgers if named(path) == "ledger/table.py" else set())


def test_the_layer_never_imports_what_is_around_it() -> None:
    tops = {name.split(".")[0] for path in modules() for name in imported(path)}
    assert not tops & {"sandbox", "tests", "functions"}
