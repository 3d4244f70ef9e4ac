"""Patterns: what a star and a question mark stand for, and that no pattern takes for ever."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import patterns


@given(name=st.text(max_size=20), rest=st.text(max_size=5))
def test_a_name_without_signs_matches_itself_alone(name: str, rest: str) -> None:
    literal = re.sub(r"[*?]", "", name)
    assert patterns.matches(literal, literal)
    assert patterns.matches(literal, literal + rest) == (not rest)
    assert patterns.matches(literal + "*", literal + rest)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        pytest.param("?.zip", "a.zip", True, id="one character"),
        pytest.param("?.zip", "ab.zip", False, id="not two"),
        pytest.param("[ab]", "a", False, id="brackets are no signs"),
        pytest.param("*", "a\nb", True, id="any text"),
        pytest.param("*", "", True, id="also none"),
        pytest.param("release/*", "release/2026/01", True, id="also with a slash"),
        pytest.param("v*.*.*", "v1.10.2", True, id="several stars"),
        pytest.param("v*.*.*", "v1.10", False, id="too few points"),
        pytest.param("main", "main2", False, id="the whole name"),
        pytest.param("main", "xmain", False, id="from its beginning"),
    ],
)
def test_signs(pattern: str, name: str, expected: bool) -> None:
    assert patterns.matches(pattern, name) == expected


def test_the_first_pattern_that_matches_is_told() -> None:
    assert patterns.first_match(["*.zip", "web/*", "*"], "web/1.tar.gz") == "web/*"
    assert patterns.first_match(["*.zip"], "web/1.tar.gz") is None


@pytest.mark.parametrize("pattern", ["*a" * 512, "?*" * 512, "*a" * 300 + "*b"])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    began = time.perf_counter()
    patterns.matches(pattern, "a" * 1024)
    assert time.perf_counter() - began < 1
