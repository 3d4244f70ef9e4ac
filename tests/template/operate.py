"""What people can be told, failure by failure, for ``docs/operate.md``: collected from the code.

``python -m tests.template.operate`` writes it into the page, between two comments for each failure;
a test holds the page to it. A part of a sentence that only the moment knows stands as ``<name>``.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ovenbird import errors
from ovenbird.core import notices
from tests.template.deployed import ROOT

PAGE = ROOT / "docs/operate.md"
LAYER = ROOT / "layers/ovenbird"
_MARKED = re.compile(r"(<!-- texts: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
# Sentences that are made where nothing is raised yet: a failure's module and what marks them.
_ELSEWHERE = (
    ("Refused", "core/refusals.py", "yield"),
    ("Refused", "core/address_refusals.py", "yield"),
    ("Refused", "core/traffic_refusals.py", "yield"),
    ("Refused", "core/templates.py", "refusal"),
    ("Refused", "core/plans.py", "bad_target"),
    ("Refused", "core/plans.py", "unknown_target"),
    ("Refused", "core/unbuildable.py", "yield"),
    ("Stopped", "recovery.py", "_stopped"),
    ("ExecutionLost", "recovery.py", "_lost"),
    ("BakeFailed", "core/bakes.py", "GiveUp"),
    ("BakeFailed", "core/commands.py", "failure"),
    ("RollFailed", "core/rolls.py", "GiveUp"),
    ("RollFailed", "core/refreshes.py", "__str__"),
    ("UndoFailed", "core/undos.py", "GiveUp"),
    ("BadFleet", "mistakes.py", "yield"),
    ("BadFleet", "schema.py", "_object"),
    ("BadFleet", "schema.py", "_sentence"),
)
# One table of codes says which of these an error of AWS is, and one sentence says so.
_TRANSLATED = ("Throttled", "Unavailable", "NotFound", "Denied", "Declined")


def failures() -> tuple[str, ...]:
    """Every failure that a person may be told of, as errors.py has them in its tree."""
    parents = {"OvenbirdError", "Retryable", "Terminal"}
    names = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    return tuple(name for name in names if name not in parents)


def block(failure: str) -> str:
    """The notice's advice and all the sentences of a failure."""
    lines = [f"The notice's last line: *{notices.advice(failure)}*", ""]
    told = sorted(texts()[failure], key=str.casefold)
    lines += [f"- `{text}`" for text in told]
    return "\n".join(lines) + "\n"


@cache
def texts() -> dict[str, frozenset[str]]:
    """Failure → the sentences that come with it."""
    found: dict[str, set[str]] = {name: set() for name in failures()}
    for path in sorted((LAYER / "ovenbird").rglob("*.py")):
        for name, node in _raised(path):
            for failure in _TRANSLATED if name == "known" else (name,):
                if failure in found:
                    found[failure] |= set(_sentences(node, path))
    for failure, file, mark in _ELSEWHERE:
        made = set(_made(LAYER / "ovenbird" / file, mark))
        assert made, f"{file} has no {mark} any more"
        found[failure] |= made
    return {name: frozenset(each) for name, each in found.items()}


def _raised(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """``raise Refused(text)``, and a failure that is returned to be raised."""
    for node in ast.walk(ast.parse(path.read_text())):
        raised = node.exc if isinstance(node, ast.Raise) else None
        raised = node.value if isinstance(node, ast.Return) else raised
        if isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name) and raised.args:
            yield raised.func.id, raised.args[0]


def _made(path: Path, mark: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if mark == "yield" and isinstance(node, ast.Yield) and node.value:
            yield from _sentences(node.value, path)
        elif isinstance(node, ast.FunctionDef) and node.name == mark:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return | ast.Yield) and inner.value:
                    yield from _sentences(inner.value, path)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == mark and node.args:
            yield from _sentences(node.args[0], path)


def _sentences(node: ast.expr, path: Path) -> Iterator[str]:
    """The texts that an expression may be; none for one that is put together elsewhere."""
    if isinstance(node, ast.IfExp):
        yield from _sentences(node.body, path)
        yield from _sentences(node.orelse, path)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _sentences(value, path)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield _written(node, path)
    elif isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str):
        text = _written(node, path)
        if re.search(r"[a-z] ?[a-z]", re.sub(r"<[^>]*>", "", text)):  # words, not only values
            yield text


def _written(node: ast.expr, path: Path) -> str:
    if isinstance(node, ast.Constant):
        return " ".join(str(node.value).split("\n"))
    if isinstance(node, ast.JoinedStr):
        return "".join(_written(value, path) for value in node.values)
    if isinstance(node, ast.FormattedValue):
        return _value(node.value, path)
    if isinstance(node, ast.BinOp):
        return _written(node.left, path) + _written(node.right, path)
    return _value(node, path)


def _value(node: ast.expr, path: Path) -> str:
    """A constant as it is; anything else by what it is called in the code."""
    if isinstance(node, ast.Name) and node.id.isupper():
        return str(getattr(_module(path), node.id))
    if isinstance(node, ast.Attribute) and node.attr.isupper():
        return str(getattr(getattr(_module(path), ast.unparse(node.value)), node.attr))
    if isinstance(node, ast.IfExp):
        either = [_written(each, path) for each in (node.body, node.orelse)]
        return "/".join(each for each in either if each)
    return f"<{_called(node).strip('_').replace('_', ' ')}>"


def _called(node: ast.expr) -> str:
    """``seen.group.name`` is a name, ``len(…)`` a number, ``spoken(limits.boot)`` the boot."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value) if isinstance(node.slice.value, str) else _called(node.value)
    if not isinstance(node, ast.Call):
        inner = (each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr))
        return _name(node) or next((_called(each) for each in inner), "…")
    function, given = ast.unparse(node.func).rpartition(".")[2], node.args
    if function == "len":
        return "number"
    if given and ast.unparse(given[0]) == "error":
        return f"AWS's {function}"
    if function == "get" and isinstance(given[0], ast.Constant):
        return str(given[0].value)
    if isinstance(node.func, ast.Attribute):
        return next((_called(each) for each in given if _name(each)), _called(node.func))
    return _called(given[0])


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr if not node.attr.startswith("__") else _called(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _module(path: Path) -> Any:
    return importlib.import_module(".".join(path.relative_to(LAYER).with_suffix("").parts))


def marked(page: str) -> list[str]:
    """The failures that the page has a list for."""
    return [found[2] for found in _MARKED.finditer(page)]


def with_texts(page: str) -> str:
    """The page with its lists written anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{block(found[2])}{found[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(with_texts(PAGE.read_text()))
