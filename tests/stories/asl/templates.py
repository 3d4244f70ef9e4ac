"""Payload templates (``Parameters``, ``ResultSelector``) and intrinsic functions.

Of the intrinsic functions only those below are known; ``States.UUID`` and the like would make a
run differ from its repetition.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.stories.asl import paths
from tests.stories.asl.failures import BadDefinition, StateFailed

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>true|false|null)\b"
    r"|(?P<path>\$\$?[^,()\s]*)|(?P<call>States\.[A-Za-z0-9]+)\(|(?P<mark>[,)]))"
)


def fill(template: Any, state: Any, context: Any) -> Any:
    """The template with every ``"key.$"`` replaced by what its path or function gives."""
    if isinstance(template, dict):
        filled = {}
        for key, value in template.items():
            if key.endswith(".$"):
                if not isinstance(value, str):
                    raise BadDefinition(f"{key!r} must be a path or a function, not {value!r}")
                filled[key[:-2]] = evaluate(value, state, context)
            else:
                filled[key] = fill(value, state, context)
        return filled
    if isinstance(template, list):
        return [fill(value, state, context) for value in template]
    return template


def check(template: Any) -> None:
    """Refuse a template whose paths or functions cannot be read."""
    if isinstance(template, dict):
        for key, value in template.items():
            if not key.endswith(".$"):
                check(value)
            elif not isinstance(value, str):
                raise BadDefinition(f"{key!r} must be a path or a function, not {value!r}")
            elif value.startswith("$"):
                paths.steps(value)
            else:
                _Reader(value).read()
    elif isinstance(template, list):
        for value in template:
            check(value)


def evaluate(expression: str, state: Any, context: Any) -> Any:
    """The value of a path or of an intrinsic function."""
    if expression.startswith("$"):
        return paths.read(expression, state, context)
    return _value(_Reader(expression).read(), state, context)


def _value(node: tuple[str, Any], state: Any, context: Any) -> Any:
    kind, content = node
    if kind == "literal":
        return content
    if kind == "path":
        return paths.read(content, state, context)
    name, arguments = content
    return _call(name, [_value(argument, state, context) for argument in arguments])


def _call(name: str, arguments: list[Any]) -> Any:
    if name == "States.Format":
        template, *values = arguments
        parts = re.split(r"(?<!\\)\{\}", template)
        if len(parts) != len(values) + 1:
            raise StateFailed("States.IntrinsicFailure", f"{name} has {len(values)} values")
        texts = [v if isinstance(v, str) else json.dumps(v) for v in values]
        filled = "".join(part + text for part, text in zip(parts, [*texts, ""], strict=True))
        return filled.replace("\\{", "{").replace("\\}", "}")
    if name == "States.MathAdd":
        return arguments[0] + arguments[1]
    if name == "States.JsonToString":
        return json.dumps(arguments[0], separators=(",", ":"))
    if name == "States.StringToJson":
        return json.loads(arguments[0])
    if name == "States.Array":
        return arguments
    raise BadDefinition(f"{name} is not known here")


_KNOWN = {
    "States.Format",
    "States.MathAdd",
    "States.JsonToString",
    "States.StringToJson",
    "States.Array",
}


class _Reader:
    """Reads ``States.Name(argument, …)`` into a tree."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def read(self) -> tuple[str, Any]:
        node = self._node(*self._next())
        if self._text[self._at :].strip():
            raise BadDefinition(f"{self._text!r} goes on after its end")
        if node[0] != "call":
            raise BadDefinition(f"{self._text!r} is neither a path nor a function")
        return node

    def _next(self) -> tuple[str, str]:
        token = _TOKEN.match(self._text, self._at)
        if not token or not token.lastgroup:
            raise BadDefinition(f"{self._text!r} cannot be read (at {self._text[self._at :]!r})")
        self._at = token.end()
        return token.lastgroup, token[token.lastgroup]

    def _node(self, kind: str, text: str) -> tuple[str, Any]:
        if kind == "text":
            # The escapes \{ and \} mean something to States.Format and stay.
            return "literal", re.sub(r"\\([^{}])", r"\1", text[1:-1])
        if kind in ("number", "word"):
            return "literal", json.loads(text)
        if kind == "path":
            paths.steps(text)
            return "path", text
        if kind != "call" or text not in _KNOWN:
            raise BadDefinition(f"{self._text!r}: {text} is not known here")
        arguments: list[tuple[str, Any]] = []
        kind, mark = self._next()
        while (kind, mark) != ("mark", ")"):
            arguments.append(self._node(kind, mark))
            kind, mark = self._next()
            if (kind, mark) == ("mark", ","):
                kind, mark = self._next()
            elif (kind, mark) != ("mark", ")"):
                raise BadDefinition(f"{self._text!r}: a comma is missing before {mark!r}")
        return "call", (text, arguments)
