"""A change: a piece of a file replaced by another one, found by its place and not by its text."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Change:
    """One mutant that nobody chose.

    Args:
        path: The file, from the root of the repository.
        kind: What is done, in two or three words; the draw goes by kinds.
        start: Where the piece begins, in bytes of UTF-8.
        end: Where it ends.
        put: What stands there instead.
        lines: The lines whose execution reaches it, first and last; the first is told to people.
    """

    path: str
    kind: str
    start: int
    end: int
    put: str
    lines: tuple[int, int]

    def applied(self, text: str) -> str:
        """The file's text with the change."""
        raw = text.encode()
        return (raw[: self.start] + self.put.encode() + raw[self.end :]).decode()

    def find(self, text: str) -> str:
        """The piece of the file's text that is replaced."""
        return text.encode()[self.start : self.end].decode()

    def apply(self, root: Path) -> None:
        """Break the copy of the repository at ``root``."""
        file = root / self.path
        file.write_text(self.applied(file.read_text(encoding="utf-8")), encoding="utf-8")

    def diff(self, root: Path) -> str:
        """What it changes, as ``diff`` would say it, without any context."""
        text = (root / self.path).read_text(encoding="utf-8")
        lines = difflib.unified_diff(
            text.splitlines(), self.applied(text).splitlines(), lineterm="", n=0
        )
        return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))

    @property
    def place(self) -> str:
        """``layers/…/x.py:12``."""
        return f"{self.path}:{self.lines[0]}"
