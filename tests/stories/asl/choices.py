"""The rules of a Choice state."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.stories.asl import paths
from tests.stories.asl.failures import BadDefinition, StateFailed

Rule = dict[str, Any]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


_COMPARISONS: dict[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]] = {
    "StringEquals": (_text, lambda a, b: a == b),
    "StringMatches": (_text, lambda a, b: _wildcard(b).fullmatch(a) is not None),
    "NumericEquals": (_number, lambda a, b: a == b),
    "NumericLessThan": (_number, lambda a, b: a < b),
    "NumericGreaterThan": (_number, lambda a, b: a > b),
    "NumericLessThanEquals": (_number, lambda a, b: a <= b),
    "NumericGreaterThanEquals": (_number, lambda a, b: a >= b),
    "BooleanEquals": (lambda value: isinstance(value, bool), lambda a, b: a == b),
}
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": _text,
    "IsNumeric": _number,
    "IsBoolean": lambda value: isinstance(value, bool),
}


def check(rule: Rule, *, outer: bool = True) -> None:
    """Refuse a rule that is not known here."""
    fields = set(rule) - ({"Next", "Comment"} if outer else {"Comment"})
    if outer and "Next" not in rule:
        raise BadDefinition(f"a choice without Next: {rule}")
    if fields & {"And", "Or", "Not"}:
        (operator,) = fields
        inner = [rule["Not"]] if operator == "Not" else rule[operator]
        for part in inner:
            check(part, outer=False)
        return
    operators = fields - {"Variable"}
    known = {*_COMPARISONS, *(f"{name}Path" for name in _COMPARISONS), *_TESTS, "IsPresent"}
    if "Variable" not in fields or len(operators) != 1 or not operators <= known:
        raise BadDefinition(f"a choice that is not known here: {rule}")
    paths.steps(rule["Variable"])


def holds(rule: Rule, state: Any, context: Any) -> bool:
    """Whether the rule is true of the state.

    Raises:
        StateFailed: ``States.Runtime``; the variable is missing (only ``IsPresent`` allows it).
    """
    if "And" in rule:
        return all(holds(part, state, context) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, state, context) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], state, context)
    variable: str = rule["Variable"]
    (operator,) = set(rule) - {"Variable", "Next", "Comment"}
    wanted = rule[operator]
    if operator == "IsPresent":
        return paths.present(variable, state, context) is wanted
    if not paths.present(variable, state, context):
        raise StateFailed(
            "States.Runtime", f"Invalid path {variable!r}: the choice state's variable is missing"
        )
    value = paths.read(variable, state, context)
    if operator in _TESTS:
        return _TESTS[operator](value) is wanted
    if operator.endswith("Path"):
        operator, wanted = operator[:-4], paths.read(wanted, state, context)
    fits, compare = _COMPARISONS[operator]
    return fits(value) and fits(wanted) and compare(value, wanted)


def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", pattern))
    )
