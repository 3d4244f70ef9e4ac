"""What is left out before the draw, because nothing could notice; each rule says why.

- Docstrings, annotations, ``__all__`` and stubs of protocols: they do nothing.
- Decorators and their arguments (``frozen=True``): a language's own promise, not behaviour.
- ``prices.py`` and the counts in ``estimates.py``: figures that their own text calls rough.
- Sentences: the texts between an f-string's braces, the first argument of ``translated`` (what was
  tried) and whatever :mod:`tests.mutants.expressions` does not take for a code.
- The size of a page and how many are asked for at once: more calls, and the same result.
- Arguments of log calls, of ``warm`` (a cold start), of ``Config`` (how patient the SDK is).
- ``raise AssertionError`` and ``assert_never``: unreachable by design.
- ``encoding`` and ``strict``: the defaults are the same, or no test could be fed otherwise.
- The cause of an exception (``raise … from error``), and names that are only handed on.
"""

from __future__ import annotations

import ast

FILES = ("core/prices.py",)
_KEYWORDS = {
    "MaxRecords",
    "MaxResults",
    "PageSize",
    "PaginationConfig",
    "connect_timeout",
    "encoding",
    "hash",
    "read_timeout",
    "sort_keys",
    "strict",
    "user_agent_extra",
}
_ROUGH = {"GB_SECONDS", "INVOCATIONS", "LEDGER_READS", "LEDGER_WRITES", "TRANSITIONS"}
_QUIET = {"warm", "append_keys", "assert_never", "cast", "TypeVar"}
_LOGS = {"info", "warning", "error", "debug"}


def is_left_out(node: ast.AST, above: tuple[ast.AST, ...]) -> bool:
    """Whether this node, and all that stands in it, is left alone."""
    parent = above[-1] if above else None
    return (
        _is_docstring(node, parent)
        or _is_annotation(node, parent)
        or _is_decoration(node, parent)
        or _is_stub(node)
        or _is_quiet(node)
        or _is_text(node, parent)
        or _is_kept_name(node, parent)
    )


def _is_docstring(node: ast.AST, parent: ast.AST | None) -> bool:
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text and isinstance(getattr(parent, "body", None), list)


def _is_annotation(node: ast.AST, parent: ast.AST | None) -> bool:
    if isinstance(parent, ast.arg | ast.AnnAssign) and parent.annotation is node:
        return True
    if isinstance(parent, ast.FunctionDef) and parent.returns is node:
        return True
    typed = isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript | ast.BinOp)
    return typed and isinstance(parent, ast.Module) and _is_type(node)


def _is_type(node: ast.AST) -> bool:
    """``Decision = Start | Wait`` and ``Answer = dict[str, Any]``: other names for types."""
    assert isinstance(node, ast.Assign)
    target = node.targets[0]
    return (
        isinstance(target, ast.Name)
        and not target.id.strip("_").isupper()
        and (target.id[:1].isupper())
    )


def _is_decoration(node: ast.AST, parent: ast.AST | None) -> bool:
    return node in getattr(parent, "decorator_list", [])


def _is_stub(node: ast.AST) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_quiet(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(made, ast.Name) and made.id == "AssertionError"
    if isinstance(node, ast.Assert):
        return True  # for the type checker
    if isinstance(node, ast.Expr):
        node = node.value
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _QUIET | {"Config"}
    if not isinstance(node.func, ast.Attribute):
        return False
    of = node.func.value
    logs = isinstance(of, ast.Name) and of.id == "logger" and node.func.attr in _LOGS
    return logs or node.func.attr in _QUIET


def _is_text(node: ast.AST, parent: ast.AST | None) -> bool:
    if isinstance(parent, ast.JoinedStr) and isinstance(node, ast.Constant):
        return True
    if isinstance(parent, ast.FormattedValue):
        return node is parent.format_spec
    if isinstance(parent, ast.Call) and parent.args and node is parent.args[0]:
        name = parent.func.attr if isinstance(parent.func, ast.Attribute) else ""
        name = parent.func.id if isinstance(parent.func, ast.Name) else name
        return name == "translated"
    return False


def _is_kept_name(node: ast.AST, parent: ast.AST | None) -> bool:
    if isinstance(node, ast.keyword) and node.arg in _KEYWORDS:
        return True
    if isinstance(parent, ast.Raise) and node is parent.cause:
        return True
    if isinstance(node, ast.Assign):
        kept = _ROUGH | {"__all__"}
        return any(isinstance(each, ast.Name) and each.id in kept for each in node.targets)
    return False
