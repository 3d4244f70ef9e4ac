"""Which tests a run has, and how they are shared out among processes.

Of some long families (a kill at every call …) a run has every so many-th member, so that ``make
test`` stays short; ``make thorough`` (``--thorough``) has all of them.

A file stays together in a process, and so do some files: what is recorded of the stories takes a
process half a minute, once, and so does a deployment.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

RECORDED = "template/permissions/recording.py"
DEPLOYED = "sandbox/deployed/"
NEED_IT = {
    "template/test_events.py",
    "template/test_iam_in_stories.py",
    "template/test_least_privilege.py",
    "template/test_matrix.py",
}


FAMILIES = {  # one of so many
    "stories/test_kills.py": 4,
    "stories/test_faults.py": 2,
    "stories/test_recovery.py": 2,
    "attacks/test_forged.py": 2,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="every member of every family")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup``, a process gets all tests of a group."""
    here = Path(__file__).parent
    if not config.getoption("--thorough") and not any("::" in each for each in config.args):
        members: Counter[str] = Counter()
        left_out = {item for item in items if not _is_of_the_run(item, here, members)}
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))
    for item in items:
        file = item.path.relative_to(here).as_posix()
        item.add_marker(pytest.mark.xdist_group(_group(file)))


def _is_of_the_run(item: pytest.Item, here: Path, members: Counter[str]) -> bool:
    each = FAMILIES.get(item.path.relative_to(here).as_posix(), 1)
    if each == 1 or not hasattr(item, "callspec"):
        return True
    name = item.nodeid.partition("[")[0]
    members[name] += 1
    return members[name] % each == 1


def _group(file: str) -> str:
    if file in NEED_IT:
        return RECORDED
    return DEPLOYED if file.startswith(DEPLOYED) else file
