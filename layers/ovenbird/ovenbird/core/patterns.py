"""Patterns of names: ``*`` stands for any text (also with ``/``), ``?`` for one character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name is as the pattern says."""
    return _compiled(pattern).fullmatch(name) is not None


def first_match(patterns: Iterable[str], name: str) -> str | None:
    """The first pattern that the name matches, or ``None``."""
    return next((each for each in patterns if matches(each, name)), None)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """What stands between two stars is looked for once, from the left: trying every other place
    too (as ``.*`` would) takes for ever with a few stars more.
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)
