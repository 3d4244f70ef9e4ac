"""Ovenbird broken on purpose, one thing at a time; whatever is broken must be noticed.

A suite that stays green with a broken product is worth nothing, so ``make mutants`` asks it. The
mutants are data in the modules beside this one, by what they break. Nothing here touches the
working tree: each mutant lives in a copy of its own.
"""

from __future__ import annotations

from tests.mutants import (
    addressing,
    arriving,
    baking,
    building,
    comparing,
    guarding,
    ordering,
    pushing,
    refusing,
    rolling,
    scripting,
    telling,
    waiting,
)
from tests.mutants.mutant import Mutant

ALL: tuple[Mutant, ...] = (
    *baking.MUTANTS,
    *scripting.MUTANTS,
    *rolling.MUTANTS,
    *waiting.MUTANTS,
    *addressing.MUTANTS,
    *ordering.MUTANTS,
    *pushing.MUTANTS,
    *comparing.MUTANTS,
    *arriving.MUTANTS,
    *building.MUTANTS,
    *refusing.MUTANTS,
    *telling.MUTANTS,
    *guarding.MUTANTS,
)
