"""Every change of a Python module that this tool can think of, from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.mutants import expressions
from tests.mutants.change import Change
from tests.mutants.equivalence import is_left_out

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {
    "all": "any",
    "any": "all",
    "ceil": "floor",
    "endswith": "startswith",
    "floor": "ceil",
    "lstrip": "rstrip",
    "max": "min",
    "min": "max",
    "rpartition": "partition",
    "partition": "rpartition",
    "rsplit": "split",
    "rstrip": "lstrip",
    "startswith": "endswith",
}


@dataclass
class _Place:
    """A node with those that it stands in, outermost first."""

    node: ast.AST
    above: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        return self.above[-1]

    @property
    def statement(self) -> ast.stmt:
        """The innermost statement that it is part of."""
        return next(
            each for each in (self.node, *reversed(self.above)) if isinstance(each, ast.stmt)
        )

    @property
    def anchor(self) -> ast.AST:
        """What is replaced in the text; Python 3.11 knows no positions within an f-string."""
        whole = [each for each in self.above if isinstance(each, ast.JoinedStr)]
        return whole[0] if whole else self.node


@dataclass
class _Module:
    path: str
    text: str
    found: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        starts, total = [], 0
        for line in self.text.encode().split(b"\n"):
            starts.append(total)
            total += len(line) + 1
        self._starts = starts

    def put(self, kind: str, place: _Place, text: str) -> None:
        """Note a change of what the place stands for in the text."""
        anchor: Any = place.anchor
        start = self._starts[anchor.lineno - 1] + anchor.col_offset
        end = self._starts[anchor.end_lineno - 1] + anchor.end_col_offset
        statement = place.statement
        body = getattr(statement, "body", None)
        last = body[0].lineno - 1 if body else (statement.end_lineno or statement.lineno)
        first = min(anchor.lineno, max(statement.lineno, last))
        lines = (first, max(first, min(anchor.end_lineno, last)))
        self.found.append(Change(self.path, kind, start, end, text, lines))


def changes(path: str, text: str) -> list[Change]:
    """Every change of the module; some may be none, see :func:`is_one`.

    What is left out is said in :mod:`tests.mutants.equivalence`.
    """
    module = _Module(path, text)
    for place in _walk(ast.parse(text), ()):
        for kind, made in _changes(place):
            module.put(kind, place, made)
    return list({(each.start, each.end, each.put): each for each in module.found}.values())


def is_one(change: Change, text: str) -> bool:
    """Whether the module says something else afterwards, and is a module still."""
    try:
        return ast.dump(ast.parse(change.applied(text))) != ast.dump(ast.parse(text))
    except SyntaxError:
        return False


def _walk(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[_Place]:
    for child in ast.iter_child_nodes(node):
        inside = (*above, node)
        if is_left_out(child, inside):
            continue
        if hasattr(child, "lineno"):
            yield _Place(child, inside)
        yield from _walk(child, inside)


def _changes(place: _Place) -> Iterator[tuple[str, str]]:
    for kind, make in _KINDS:
        for change in make(place):
            yield kind, change


@contextmanager
def _with(node: ast.AST, **fields: Any) -> Iterator[None]:
    before = {name: getattr(node, name) for name in fields}
    for name, value in fields.items():
        setattr(node, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(node, name, value)


def _written(place: _Place, **fields: Any) -> str:
    """The anchor's text while the node has other fields."""
    with _with(place.node, **fields):
        return _text(place.anchor)


def _instead(place: _Place, new: ast.expr) -> str:
    """The anchor's text with another node in the place of this one."""
    if place.anchor is place.node:
        return _text(new)
    for name, value in ast.iter_fields(place.parent):
        if value is place.node:
            with _with(place.parent, **{name: new}):
                return _text(place.anchor)
        if isinstance(value, list) and place.node in value:
            swapped = [new if each is place.node else each for each in value]
            with _with(place.parent, **{name: swapped}):
                return _text(place.anchor)
    raise AssertionError("a node stands in its parent")


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    loose = ast.BoolOp | ast.Compare | ast.IfExp | ast.BinOp | ast.UnaryOp | ast.Lambda
    return f"({text})" if isinstance(node, loose) else text


def _without(items: list[Any]) -> Iterator[list[Any]]:
    for index in range(len(items)):
        yield items[:index] + items[index + 1 :]


def _terms(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.BoolOp):
        for rest in _without(node.values):
            if len(rest) == 1:
                yield _instead(place, rest[0])
            else:
                yield _written(place, values=rest)


def _junctions(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _written(place, op=other)


def _comparisons(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            for other in _COMPARED[type(op)]:
                ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield _written(place, ops=ops)


def _numbers(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value: Any = node.value
        yield _instead(place, ast.Constant(value + 1))
        if value:
            yield _instead(place, ast.Constant(value * 10))


def _booleans(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _instead(place, ast.Constant(not node.value))


def _negations(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _instead(place, node.operand)
    tested = isinstance(place.parent, ast.If | ast.While | ast.IfExp) and (
        place.parent.test is node
    )
    if tested and isinstance(node, ast.expr) and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield _instead(place, ast.UnaryOp(ast.Not(), node))


def _sums(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        yield _written(place, op=_COMPUTED[type(node.op)]())


def _keywords(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Call):
        for index, keyword in enumerate(node.keywords):
            if not is_left_out(keyword, (*place.above, node)):
                yield _written(place, keywords=node.keywords[:index] + node.keywords[index + 1 :])


def _defaults(place: _Place) -> Iterator[str]:
    """``found.get(name, default)`` without its default."""
    node = place.node
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("get", "pop")
        and len(node.args) == 2
    ):
        yield _written(place, args=node.args[:1])


def _keys(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Dict):
        for index in range(len(node.keys)):
            keys = node.keys[:index] + node.keys[index + 1 :]
            yield _written(place, keys=keys, values=node.values[:index] + node.values[index + 1 :])


def _members(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Set | ast.Tuple | ast.List) and len(node.elts) > 1:
        if isinstance(node, ast.Tuple | ast.List) and not isinstance(node.ctx, ast.Load):
            return
        if isinstance(place.parent, ast.Subscript) and place.parent.slice is node:
            return  # the key of two, or a type
        if isinstance(place.parent, ast.Assign) and isinstance(place.parent.targets[0], ast.Tuple):
            return  # what is taken apart again at once
        for rest in _without(node.elts):
            yield _written(place, elts=rest)


def _choices(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.IfExp):
        yield _instead(place, node.body)
        yield _instead(place, node.orelse)


def _filters(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for generator in node.generators:
            for rest in _without(generator.ifs):
                with _with(generator, ifs=rest):
                    yield _text(place.anchor)


def _bounds(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        for name in ("lower", "upper"):
            if getattr(node.slice, name) is not None:
                with _with(node.slice, **{name: None}):
                    yield _text(place.anchor)


def _functions(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in _NAMES:
            other: ast.expr = ast.Name(_NAMES[node.func.id], ast.Load())
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _NAMES:
            other = ast.Attribute(node.func.value, _NAMES[node.func.attr], ast.Load())
        else:
            return
        yield _written(place, func=other)


def _texts(place: _Place) -> Iterator[str]:
    """Codes and keys, not sentences; and the expressions of DynamoDB."""
    node = place.node
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    if isinstance(place.parent, ast.JoinedStr):
        return
    for made in expressions.changes(node.value):
        yield _instead(place, ast.Constant(made))


def _statements(place: _Place) -> Iterator[str]:
    node = place.node
    acts = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield)
    if acts or isinstance(node, ast.AugAssign | ast.Raise | ast.Delete | ast.Continue | ast.Break):
        yield "pass"


def _returns(place: _Place) -> Iterator[str]:
    node = place.node
    if isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and not node.value.value):
            yield "return None"
        if isinstance(place.parent, ast.If):
            yield "pass"  # and what comes after it is done as well


def _ways(place: _Place) -> Iterator[str]:
    """A condition that always or never holds; a guard that is gone."""
    node = place.node
    parent = place.parent
    if isinstance(parent, ast.If | ast.While) and parent.test is node:
        yield "False"
        if isinstance(parent, ast.If):
            yield "True"
    if isinstance(parent, ast.match_case) and parent.guard is node:
        yield "True"


def _suppressions(place: _Place) -> Iterator[str]:
    node = place.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    if node.func.id == "suppress" and node.args:
        yield "suppress()"


_KINDS: tuple[tuple[str, Callable[[_Place], Iterator[str]]], ...] = (
    ("term dropped", _terms),
    ("and for or", _junctions),
    ("comparison", _comparisons),
    ("number", _numbers),
    ("true for false", _booleans),
    ("negation", _negations),
    ("sum", _sums),
    ("argument dropped", _keywords),
    ("default dropped", _defaults),
    ("key dropped", _keys),
    ("member dropped", _members),
    ("choice", _choices),
    ("filter dropped", _filters),
    ("bound dropped", _bounds),
    ("function", _functions),
    ("text", _texts),
    ("statement dropped", _statements),
    ("return", _returns),
    ("condition", _ways),
    ("suppression dropped", _suppressions),
)
