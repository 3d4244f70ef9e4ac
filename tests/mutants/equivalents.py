"""Drawn mutants that change nothing that anybody could notice, each with its reason.

They are found by what they change, not by line, so that they stay found when the code around them
moves; ``test_random.py`` says when the code itself has gone.
"""

from __future__ import annotations

from dataclasses import dataclass

LAYER = "layers/ovenbird/ovenbird"


@dataclass(frozen=True)
class Equivalent:
    """``minus`` and ``plus`` are the first lines that the change takes away and puts, stripped."""

    path: str
    minus: str
    plus: str
    why: str


EQUIVALENT: tuple[Equivalent, ...] = ()
