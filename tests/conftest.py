"""Which tests a run has.

Of some long families (a kill at every call …) a run has every so many-th member, so that ``make
test`` stays short; ``make thorough`` (``--thorough``) has all of them. Hypothesis draws the same
examples in each run, and new ones in a thorough one.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True)

FAMILIES = {  # one of so many
    "stories/test_kills.py": 4,
    "stories/test_faults.py": 2,
    "stories/test_recovery.py": 2,
    "attacks/test_forged.py": 2,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="every member of every family")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--thorough"):
        settings.load_profile("steady")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a thorough run has; who names single tests gets them."""
    if config.getoption("--thorough") or any("::" in each for each in config.args):
        return
    members: Counter[str] = Counter()
    left_out = {item for item in items if not _is_of_the_run(item, members)}
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()


def _is_of_the_run(item: pytest.Item, members: Counter[str]) -> bool:
    each = FAMILIES.get(_file(item), 1)
    if each == 1 or not hasattr(item, "callspec"):
        return True
    name = item.nodeid.partition("[")[0]
    members[name] += 1
    return members[name] % each == 1
