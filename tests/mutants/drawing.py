"""The draw: so many changes, at random from all that are possible, by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.mutants import definitions, syntax
from tests.mutants.change import Change
from tests.mutants.equivalence import FILES

LAYER = "layers/ovenbird/ovenbird"
TEMPLATE = "template.yaml"
MACHINES = "statemachine"
# Of a hundred, so many of the template and so many of the state machines; the rest is Python.
_OF_TEMPLATE, _OF_MACHINES = 6, 7

IsOne = Callable[[Change, str], bool]


def draw(root: Path, number: int, seed: int) -> list[Change]:
    """So many changes, each another one; the same seed draws the same ones.

    A kind of change counts by the square root of how many there are of it: else the draw would
    be conditions and texts, which die easily.
    """
    chance = random.Random(seed)
    of_template = round(number * _OF_TEMPLATE / 100)
    of_machines = round(number * _OF_MACHINES / 100)
    machines = [
        change
        for file in sorted((root / MACHINES).glob("*.asl.json"))
        for change in definitions.changes(str(file.relative_to(root)), file.read_text())
    ]
    template = definitions.changes(TEMPLATE, (root / TEMPLATE).read_text())
    return [
        *_drawn(root, chance, python(root), number - of_template - of_machines, syntax.is_one),
        *_drawn(root, chance, template, of_template, definitions.is_one),
        *_drawn(root, chance, machines, of_machines, definitions.is_one),
    ]


def python(root: Path) -> list[Change]:
    """Every change of the layer's modules."""
    found = []
    for file in sorted((root / LAYER).rglob("*.py")):
        if str(file.relative_to(root / LAYER)) not in FILES:
            path = str(file.relative_to(root))
            found += syntax.changes(path, file.read_text(encoding="utf-8"))
    return found


def _drawn(
    root: Path, chance: random.Random, possible: Sequence[Change], number: int, is_one: IsOne
) -> list[Change]:
    kinds: dict[str, list[Change]] = {}
    for change in possible:
        kinds.setdefault(change.kind, []).append(change)
    names = sorted(kinds)
    weights = [len(kinds[name]) ** 0.5 for name in names]
    drawn: dict[tuple[str, int, int], Change] = {}
    for _ in range(number * 100):
        if len(drawn) == number:
            break
        change = chance.choice(kinds[chance.choices(names, weights)[0]])
        place = (change.path, change.start, change.end)
        if place not in drawn and is_one(change, (root / change.path).read_text(encoding="utf-8")):
            drawn[place] = change
    return list(drawn.values())
