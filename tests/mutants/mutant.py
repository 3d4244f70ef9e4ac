"""A mutant: one thing about Ovenbird that is broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LAYER = "layers/ovenbird/ovenbird"
ROLLOUT = "statemachine/rollout.asl.json"


class Stale(Exception):
    """The text that a mutant replaces is not there, or not only once: the code has moved on."""


@dataclass(frozen=True)
class Mutant:
    """One replacement in one file.

    Args:
        name: Two or three words, with dashes.
        breaks: What Ovenbird does wrong then, in one sentence.
        path: The file, from the root of the repository.
        find: The text that is replaced; it is in the file exactly once.
        put: What stands there instead.
        hunters: The tests most likely to notice, below ``tests/``; they are asked first.
    """

    name: str
    breaks: str
    path: str
    find: str
    put: str
    hunters: tuple[str, ...]

    def apply(self, root: Path) -> None:
        """Break the copy of the repository at ``root``.

        Raises:
            Stale: The text is not in the file exactly once.
        """
        file = root / self.path
        text = file.read_text()
        if (times := text.count(self.find)) != 1:
            raise Stale(f"{self.name}: its text is {times} times in {self.path}, not once")
        file.write_text(text.replace(self.find, self.put))
