"""Lambda layers, unpacked once for all workers.

ministack unpacks every layer anew for every worker, and Python compiles it anew: seconds of a cold
start that AWS does not have. Here a layer is unpacked once, and a worker gets one that only points
to it; so the bytecode of the first cold start serves the later ones too.
"""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from pathlib import Path

# A worker reads the .pth files in this directory of a layer. Source: Lambda Developer Guide,
# "Working with layers for Python Lambda functions".
_POINTER = "python/lib/python3/site-packages/layer.pth"


class Layers:
    """The unpacked layers by their content."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unpacking = threading.Lock()

    def pointer(self, packed: bytes) -> bytes:
        """A layer that puts the unpacked one first on the module path."""
        place = self._unpacked(packed) / "python"
        pointer = io.BytesIO()
        with zipfile.ZipFile(pointer, "w") as archive:
            # A line that begins with "import" is run; a plain path would come last on the path.
            archive.writestr(_POINTER, f"import sys; sys.path.insert(0, {str(place)!r})\n")
        return pointer.getvalue()

    def _unpacked(self, packed: bytes) -> Path:
        place = self._directory / hashlib.sha256(packed).hexdigest()
        with self._unpacking:
            if not place.exists():
                with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                    archive.extractall(place)
        return place
