"""``python -m sandbox pack``: a release in a file, ready to be uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import releases
from sandbox.__main__ import main


def test_writes_the_release_and_says_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["pack", "2"]) == 0
    assert (tmp_path / "web-2.tar.gz").read_bytes() == releases.build_artifact("2")
    assert "aws s3 cp web-2.tar.gz s3://web-releases/web/" in capsys.readouterr().out


def test_knows_only_the_versions_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["pack", "9"])
    assert "invalid choice: '9'" in capsys.readouterr().err
