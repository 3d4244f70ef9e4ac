"""Cut botocore's data to the services that the Lambdas call, newest API version only.

A layer is unzipped at every cold start, and botocore describes some four hundred services.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def trim(data: Path, wanted: set[str]) -> None:
    """Delete the folders of other services and of older API versions.

    Raises:
        SystemExit: A wanted service is not there, so the list is wrong.
    """
    folders = {folder.name: folder for folder in data.iterdir() if folder.is_dir()}
    if missing := wanted - set(folders):
        sys.exit(f"botocore has no service {', '.join(sorted(missing))}; see services.txt.")
    for name, folder in folders.items():
        versions = sorted(version for version in folder.iterdir() if version.is_dir())
        for unused in [folder] if name not in wanted else versions[:-1]:
            shutil.rmtree(unused)


if __name__ == "__main__":
    target, services = Path(sys.argv[1]), Path(sys.argv[2])
    trim(target / "botocore" / "data", set(services.read_text().split()))
