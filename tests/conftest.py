"""How the tests are shared out among processes: a file stays together, and so do some files.

What is recorded of the stories takes a process half a minute, once, and so does a deployment. So
the files that need it are run by the same one.
"""

from __future__ import annotations

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup``, a process gets all tests of a group."""
    here = Path(__file__).parent
    for item in items:
        file = item.path.relative_to(here).as_posix()
        item.add_marker(pytest.mark.xdist_group(_group(file)))


def _group(file: str) -> str:
    if file in NEED_IT:
        return RECORDED
    return DEPLOYED if file.startswith(DEPLOYED) else file
