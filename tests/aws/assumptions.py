"""What is assumed of AWS, and what was found when it was tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """``UNTRIED``: AWS did not let us look (a permission, a quota, a time that was up)."""

    HELD = "held"
    WRONG = "DID NOT HOLD"
    UNTRIED = "not tried"


@dataclass(frozen=True)
class Assumption:
    """One sentence that is true or not.

    ``source`` is where it stands: words of docs/limits.md, or the document that says so.
    """

    says: str
    source: str


@dataclass(frozen=True)
class Finding:
    """``seen`` is what AWS answered, for the report that you may send us."""

    assumption: Assumption
    outcome: Outcome
    seen: str


class Report:
    """The findings, each told as soon as it is there; the first one on an assumption stays."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self.findings: dict[Assumption, Finding] = {}

    def compare(self, assumption: Assumption, seen: object, *wanted: object) -> None:
        """It held if what was seen is one of what is wanted."""
        self.judge(assumption, seen in wanted, str(seen))

    def judge(self, assumption: Assumption, held: bool, seen: str) -> None:
        self._add(Finding(assumption, Outcome.HELD if held else Outcome.WRONG, seen))

    def give_up(self, assumptions: Iterable[Assumption], why: str) -> None:
        """Those that have no finding yet will not get one."""
        for assumption in assumptions:
            self._add(Finding(assumption, Outcome.UNTRIED, why))

    def table(self, assumptions: Sequence[Assumption]) -> str:
        """A line for each assumption, in the order given."""
        lines = [("Assumption", "Outcome", "Seen")]
        for each in assumptions:
            found = self.findings.get(each, Finding(each, Outcome.UNTRIED, "it was stopped before"))
            lines.append((each.says, found.outcome.value, found.seen))
        widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
        return "\n".join(
            f"{says:<{widths[0]}}  {outcome:<{widths[1]}}  {seen}".rstrip()
            for says, outcome, seen in lines
        )

    def _add(self, finding: Finding) -> None:
        if finding.assumption not in self.findings:
            self.findings[finding.assumption] = finding
            says, seen = finding.assumption.says, finding.seen
            self._tell(f"{finding.outcome.value}: {says} [{seen}]")
