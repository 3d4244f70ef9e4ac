"""Everything that will be wished for and will go wrong in one history, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.simulation.fates import Fate
from tests.simulation.strikes import Strike

Quality = Literal[
    "good",
    "script fails",
    "script hangs",
    "script is slow",
    "never healthy",
    "sick after a while",
    "every third sick",
]
What = Literal[
    "release",
    "release the same again",
    "roll back",
    "pause",
    "unpause",
    "dry run",
    "no release",
]
# What neither harms a release nor gives anybody a reason to undo it.
HARMLESS = frozenset({"lambda busy", "rings flood"})


@dataclass(frozen=True)
class Moment:
    """``delay`` seconds after the first call of a function; without one, after the beginning."""

    delay: float = 0.0
    after: str = ""

    def __str__(self) -> str:
        return f"{self.delay:.0f} s after {self.after or 'the beginning'}"


@dataclass(frozen=True)
class Wish:
    """Something that the team wants. ``many``: so many uploads within one second."""

    what: What
    moment: Moment = Moment()
    quality: Quality = "good"
    many: int = 1

    def __str__(self) -> str:
        quality = f", {self.quality}" if self.what == "release" else ""
        many = f" × {self.many}" if self.many > 1 else ""
        return f"{self.what}{many}{quality}, {self.moment}"


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong with a thing, or what somebody else does; by its name.

    ``amount``, 0 to 1, is how much of it.
    """

    name: str
    moment: Moment = Moment()
    amount: float = 0.5

    def __str__(self) -> str:
        return f"{self.name} ({self.amount:.2f}), {self.moment}"


Odd = Literal["a classic balancer", "free addresses", "addresses of elsewhere", "an ARM base"]


@dataclass(frozen=True)
class Made:
    """The fleet at the beginning, as :func:`tests.stories.fleets.make` takes it.

    ``odd`` names what is unusual about it, for calls that no usual fleet leads to.
    """

    size: int = 2
    addresses: int = 1
    mixed: bool = False
    version: str = "1"
    document: Mapping[str, Any] = field(default_factory=dict, hash=False)
    health: Literal["ELB", "EC2"] = "ELB"
    odd: Odd | None = None

    def __str__(self) -> str:
        mixed = ", mixed instances" if self.mixed else ""
        return (
            f"{self.size} instances{mixed}, {self.addresses} addresses, template version "
            f"{self.version}, health by {self.health}, {dict(self.document)}"
            + (f", {self.odd}" if self.odd else "")
        )


@dataclass(frozen=True)
class Schedule:
    """One history. ``encore``: at the end, when all is well again, a release must succeed."""

    seed: int
    made: Made = Made()
    wishes: tuple[Wish, ...] = (Wish("release"),)
    strikes: tuple[Strike, ...] = ()
    fates: tuple[Fate, ...] = ()
    mishaps: tuple[Mishap, ...] = ()
    encore: bool = False
    name: str = ""

    @property
    def is_benign(self) -> bool:
        """Whether nothing in it is a reason for a release not to succeed."""
        return {mishap.name for mishap in self.mishaps} <= HARMLESS and all(
            wish.what == "no release"
            or (wish.what == "release" and wish.quality in ("good", "script is slow"))
            for wish in self.wishes
        )

    def __str__(self) -> str:
        lines = [f"seed {self.seed}{f' ({self.name})' if self.name else ''}", f"fleet: {self.made}"]
        lines += [f"wish: {wish}" for wish in self.wishes]
        lines += [f"fault: {strike}" for strike in self.strikes]
        lines += [f"events: {fate}" for fate in self.fates]
        lines += [f"mishap: {mishap}" for mishap in self.mishaps]
        return "\n".join(lines)
