"""A plugin of pytest: each test is a context of the coverage run, and its time is written down.

Only tests that pass are written down: the word of the others is worth nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

SECONDS = "OVENBIRD_SECONDS"  # the variable that names the file for the times

_seconds: dict[str, float] = {}
_failed: set[str] = set()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Whatever is executed from here on is this test's."""
    running = Coverage.current()
    assert running is not None, "this plugin is for a run of coverage"
    began = time.monotonic()
    running.switch_context(item.nodeid)
    yield
    running.switch_context("")
    _seconds[item.nodeid] = time.monotonic() - began


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not report.passed:
        _failed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    passed = {test: round(took, 3) for test, took in _seconds.items() if test not in _failed}
    Path(os.environ[SECONDS]).write_text(json.dumps(passed))
