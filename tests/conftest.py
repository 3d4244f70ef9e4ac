"""How the suites share the cores: a file is one piece of work, and so is the whole sandbox.

Everything that opens a sandbox stays in one process, one after the other, and begins first, because
it takes the longest and mostly waits.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SANDBOX = "sandbox"


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_piece(item)))
    items.sort(key=lambda item: _piece(item) != SANDBOX)


def _piece(item: pytest.Item) -> str:
    within = item.path.relative_to(TESTS)
    return SANDBOX if within.parts[0] == SANDBOX else str(within)
