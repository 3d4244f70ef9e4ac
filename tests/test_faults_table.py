"""``tests/README.md`` names no test, mishap or fault that there is not, and forgets no mishap."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.simulation.kinds import KINDS
from tests.simulation.mishaps import SORTS

HERE = Path(__file__).parent
TABLE = (HERE / "README.md").read_text()
TESTS = re.findall(r"`([a-z/_]+\.py)::(test_\w+)`", TABLE)


@pytest.mark.parametrize("file", sorted({file for file, _ in TESTS}))
def test_every_test_that_is_named_exists(file: str) -> None:
    written = ast.parse((HERE / file).read_text())
    defined = {each.name for each in ast.walk(written) if isinstance(each, ast.FunctionDef)}
    assert {name for known, name in TESTS if known == file} <= defined


def test_every_mishap_and_fault_of_the_simulation_is_named() -> None:
    assert set(re.findall(r'mishap "([^"]+)"', TABLE)) == set(SORTS)
    assert set(re.findall(r'fault "([^"]+)"', TABLE)) == set(KINDS)


def test_every_row_says_where() -> None:
    rows = [row.split("|")[1:3] for row in TABLE.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 30
    for fault, where in rows:
        heading = fault.strip().startswith("**")
        assert heading != bool(where.strip()), fault


def test_every_kind_has_five_stories() -> None:
    kinds = TABLE.partition("## Kind")[2]
    rows = [row.split("|")[1:3] for row in kinds.splitlines() if row.startswith("| ")][1:]
    told = {kind.strip(): set(re.findall(r"::(test_\w+)", where)) for kind, where in rows}
    few = {kind for kind, tests in told.items() if len(tests) < 5 and not kind.startswith("**")}
    assert len(told) > 20
    assert not few
