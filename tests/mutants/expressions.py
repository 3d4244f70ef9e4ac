"""Changes of texts that a program reads: DynamoDB's expressions, codes of AWS, keys.

Sentences for people are left alone: a letter more in one is not what anybody would notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DYNAMODB = re.compile(r"^(SET|REMOVE|ADD) |#\w+ *(=|<|>)|attribute_(not_)?exists\(")
_CODE = re.compile(r"[A-Za-z][\w.:/-]*")
_SWAPS = (
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r" <= ", " < "),
    (r" < ", " <= "),
    (r" >= ", " > "),
    (r" > ", " >= "),
    (r" <> ", " = "),
    (r"attribute_not_exists", "attribute_exists"),
    (r"attribute_exists", "attribute_not_exists"),
    (r"if_not_exists\(#\w+, (:\w+)\)", r"\1"),
)


def changes(text: str) -> Iterator[str]:
    """Other texts that the same program would take."""
    if _DYNAMODB.search(text):
        yield from _expression(text)
    elif _CODE.fullmatch(text):
        yield f"{text}-"


def _expression(text: str) -> Iterator[str]:
    for pattern, put in _SWAPS:
        for found in re.finditer(pattern, text):
            yield text[: found.start()] + found.expand(put) + text[found.end() :]
    if not re.match(r"(SET|REMOVE|ADD) ", text):
        for found in re.finditer(r" = ", text):
            yield f"{text[: found.start()]} <> {text[found.end() :]}"
        for join in (" AND ", " OR "):
            parts = text.split(join)
            for index in range(len(parts) if len(parts) > 1 else 0):
                yield join.join(parts[:index] + parts[index + 1 :])
    else:
        yield from _clauses(text)


def _clauses(text: str) -> Iterator[str]:
    """``SET #a = :a, #b = :b REMOVE #c`` without one of them."""
    sections = re.findall(r"(SET|REMOVE|ADD) (.*?)(?= (?:SET|REMOVE|ADD) |$)", text)
    for number, (_, body) in enumerate(sections):
        clauses = re.split(r", (?![^(]*\))", body.strip())
        for index in range(len(clauses)):
            rest = clauses[:index] + clauses[index + 1 :]
            made = [
                f"{word} {', '.join(rest) if other == number else parts.strip()}"
                for other, (word, parts) in enumerate(sections)
                if other != number or rest
            ]
            if made:
                yield " ".join(made)
