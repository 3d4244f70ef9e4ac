"""The sample application's releases."""

from __future__ import annotations

import pytest

from sandbox import releases


def test_the_same_version_has_the_same_bytes() -> None:
    assert releases.build_artifact("2") == releases.build_artifact("2")


def test_versions_differ() -> None:
    built = {releases.build_artifact(version) for version in (*releases.GOOD, releases.BAD)}
    assert len(built) == 3


def test_there_is_no_version_nine() -> None:
    with pytest.raises(FileNotFoundError):
        releases.build_artifact("9")
