"""The draw at random: what it can think of, what it leaves out, and what becomes of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import definitions, drawing, syntax
from tests.mutants.change import Change
from tests.mutants.equivalents import EQUIVALENT, Equivalent
from tests.mutants.hunt import ROOT
from tests.mutants.randomly import excuse
from tests.mutants.reach import Reach
from tests.mutants.trial import bench


def made(text: str) -> set[str]:
    """The texts that a module can become."""
    found = syntax.changes("x.py", text)
    return {each.applied(text).strip() for each in found if syntax.is_one(each, text)}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("x = a and b or c", {"x = (a and b)", "x = c", "x = (a or b) or c", "x = a or c"}),
        ("x = a or {}", {"x = a", "x = {}", "x = (a and {})"}),
        ("x = a < b", {"x = (a <= b)", "x = (a >= b)"}),
        ("x = a not in b", {"x = (a in b)"}),
        ("x = timedelta(minutes=5)", {"x = timedelta(minutes=50)", "x = timedelta()"}),
        ("x = f(True, y=1)", {"x = f(False, y=1)", "x = f(True)"}),
        ('x = {"a": b, "c": d}', {"x = {'c': d}", "x = {'a': b}"}),
        ("x = {a, b, c}", {"x = {b, c}", "x = {a, c}", "x = {a, b}"}),
        ("x = a if b else c", {"x = a", "x = c"}),
        ("x = [a for a in b if a]", {"x = [a for a in b]"}),
        ("x = a[:5]", {"x = a[:]", "x = a[:50]"}),
        ("x = a.get(b, c)", {"x = a.get(b)"}),
        ("x = max(a, b)", {"x = min(a, b)"}),
        ('x = f"{a if b else c}!"', {"x = f'{a}!'", "x = f'{c}!'"}),
        ("def f():\n    g()\n    return a", {"def f():\n    pass\n    return a"}),
        ("def f():\n    raise X", {"def f():\n    pass"}),
        ("def f():\n    if a:\n        g()", {"def f():\n    if False:\n        g()"}),
        ('x = "#a = :a AND #b < :b"', {"x = '#a = :a'", "x = '#a = :a AND #b <= :b'"}),
        ('x = "SET #a = :a, #b = :b REMOVE #c"', {"x = 'SET #b = :b REMOVE #c'"}),
        ('x = "if_not_exists(#a, :a) and attribute_exists(#b)"', set()),
        ('x = "SET #a = if_not_exists(#a, :a)"', {"x = 'SET #a = :a'"}),
        ('x = "attribute_exists(#a)"', {"x = 'attribute_not_exists(#a)'"}),
        ('x = "InService"', {"x = 'InService-'"}),
    ],
)
def test_thinks_of(text: str, becomes: set[str]) -> None:
    assert becomes <= made(text)


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        'x = "A sentence for people."',
        "def f(a: int | None) -> dict[str, int]: ...",
        "@dataclass(frozen=True)\nclass A:\n    b: int | None",
        "class A(Protocol):\n    def f(self, a: int = 1) -> bool: ...",
        "from a import b, c",
        "Decision = Start | Wait",
        '__all__ = ["a", "b"]',
        "logger.info(a or b, extra={'a': 1})",
        "x = f(PaginationConfig={'PageSize': 100})",
        "x = f(MaxResults=5)",
        "def f():\n    raise AssertionError(a or b)",
        "TRANSITIONS = 40",
    ],
)
def test_leaves_out_what_nobody_could_notice(text: str) -> None:
    assert made(text) <= {"x = f()", "x = f(PaginationConfig={'PageSize': 100})"}


DEFINITION = """\
{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Task", "Comment": "one", "Next": "B",
      "Retry": [{"ErrorEquals": ["X", "Y"], "MaxAttempts": 8}],
      "ConditionExpression": "rings = :rings"},
    "B": {"Type": "Wait", "Seconds": 15}
  }
}
"""
TEMPLATE = """\
Resources:
  Alarm:
    Properties:
      AlarmDescription: It fails.
      Threshold: 5
      Actions: [!Ref A, !Ref B]
      Rules:
        - Effect: Allow
          Action: x
        - Effect: Deny
  Queue:
    Properties: {Kept: true, Seconds: 9}
"""


@pytest.mark.parametrize(
    ("text", "piece", "instead"),
    [
        (DEFINITION, '"MaxAttempts": 8', '"MaxAttempts": 80'),
        (DEFINITION, '["X", "Y"]', '["X"]'),
        (DEFINITION, '["X", "Y"]', '[ "Y"]'),
        (DEFINITION, '"Next": "B"', '"Next": "A"'),
        (DEFINITION, "rings = :rings", "rings <> :rings"),
        (DEFINITION, '"Seconds": 15', '"Seconds": 16'),
        (TEMPLATE, "Threshold: 5", "Threshold: 50"),
        (TEMPLATE, "      Threshold: 5\n", ""),
        (TEMPLATE, "[!Ref A, !Ref B]", "[!Ref A]"),
        (TEMPLATE, "        - Effect: Deny\n", ""),
        (TEMPLATE, "          Action: x\n", ""),
        (TEMPLATE, "Kept: true", "Kept: false"),
    ],
)
def test_thinks_of_definitions(text: str, piece: str, instead: str) -> None:
    found = definitions.changes("x", text)
    good = {each.applied(text) for each in found if definitions.is_one(each, text)}
    assert text.replace(piece, instead, 1) in good
    assert not any("one" not in each and text is DEFINITION for each in good if '"A": {' in each)


def test_the_same_seed_draws_the_same() -> None:
    one, again = (drawing.draw(ROOT, 40, 7) for _ in range(2))
    assert one == again
    assert len({(each.path, each.start) for each in one}) > 30
    assert {Path(each.path).suffix for each in one} == {".py", ".yaml", ".json"}


@pytest.mark.parametrize("known", EQUIVALENT, ids=lambda known: f"{known.path}: {known.minus}")
def test_what_was_called_equivalent_is_there_still(known: Equivalent) -> None:
    lines = (ROOT / known.path).read_text().splitlines()
    assert known.minus in {line.strip() for line in lines}
    assert known.minus != known.plus
    assert known.why.endswith(".")


TEST = "tests/unit/test_settings.py::test_an_execution_has_the_rollouts_name"


def the_name_of_an_execution() -> Change:
    text = (ROOT / f"{drawing.LAYER}/settings.py").read_text()
    found = syntax.changes(f"{drawing.LAYER}/settings.py", text)
    return next(
        each
        for each in found
        if "execution" in each.find(text) and (each.kind, each.put) == ("return", "return None")
    )


def test_a_change_is_tried_and_mended_again(tmp_path: Path) -> None:
    del tmp_path
    change = the_name_of_an_execution()
    first, last = change.lines
    lines = {line: frozenset({TEST}) for line in range(first, last + 1)}
    with bench(Reach({change.path: lines}, {TEST: 0.1}), 1) as tries:
        for _ in range(2):  # it is mended in between, else the second would be another change
            tried = tries.try_out(change)
            assert tried.killer == TEST.removeprefix("tests/")
    nobody = Reach({change.path: {}}, {})
    with bench(nobody, 1) as tries:
        assert tries.try_out(change).killer == ""
    assert excuse(change, ROOT) is None
