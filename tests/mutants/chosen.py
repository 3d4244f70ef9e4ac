"""A plugin of pytest: only some tests, in the order given, and no longer than they may take.

The file that the variable names has ``{"tests": [node ids], "seconds": how long in all}``.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

CHOICE = "OVENBIRD_CHOICE"  # the variable that names the file with the tests

_began = time.monotonic()


def _choice() -> tuple[dict[str, int], float]:
    written = json.loads(Path(os.environ[CHOICE]).read_text())
    return {test: index for index, test in enumerate(written["tests"])}, written["seconds"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order, _ = _choice()
    items[:] = sorted(
        (item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid]
    )


def pytest_runtest_logfinish(nodeid: str) -> None:
    _, seconds = _choice()
    if time.monotonic() - _began > seconds:
        pytest.exit(f"time is up after {nodeid}", returncode=0)
