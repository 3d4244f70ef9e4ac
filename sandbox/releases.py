"""The releases of the sample web application, packed as its team would upload them."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

APPLICATION = Path(__file__).parent.parent / "examples/web-app"
GOOD, BAD = ("1", "2"), "3"
INSTALL = ("mkdir -p srv/web", 'tar -xzf "$OVENBIRD_ARTIFACT" -C srv/web')
VERIFY = ("python3 srv/web/app.py --self-test",)


def build_artifact(version: str) -> bytes:
    """The ``.tar.gz`` of a version; the same version always has the same bytes (and so ETag).

    Raises:
        FileNotFoundError: There is no such version.
    """
    return pack({path.name: path.read_bytes() for path in files(version)})


def pack(contents: Mapping[str, bytes]) -> bytes:
    """A ``.tar.gz`` of files by their names; the same contents always have the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def files(version: str) -> tuple[Path, Path]:
    """The files of a version: the program and what tells the versions apart."""
    return APPLICATION / "app.py", APPLICATION / "releases" / version / "release.json"
