"""The script on a builder, as Run Command tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ovenbird.core import scripts

_SUBJECTS = {"boot": "the first boot", "download": "the download", "clean": "the clean-up"}
_RUNNING = ("Pending", "InProgress", "Delayed", "Cancelling")


@dataclass(frozen=True)
class Command:
    """The script on the builder, as Run Command tells; ``details`` is its StatusDetails.

    Its output is without the secrets that were found in it (:mod:`ovenbird.core.blots`).

    AWS writes the details with spaces in its guide ("Execution Timed Out") and without them in some
    answers; both are read. ``exit_code`` is ``None`` while it runs and when it never ran.
    """

    command_id: str
    status: str
    requested: datetime
    details: str = ""
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it may still end well."""
        return self.status in _RUNNING

    @property
    def succeeded(self) -> bool:
        """Whether every phase ended with exit code 0."""
        return self.status == "Success"

    def failure(self) -> str:
        """Why it failed and what it said last, for the person who reads the notice."""
        words = scripts.last_words(self.stderr)
        output = scripts.tail(self.stdout, self.stderr)
        if words is not None:
            phase, _, how = words.partition(" ")
            said = f"{_SUBJECTS.get(phase, phase)} {how}".rstrip(".")
            said = said[0].upper() + said[1:]
        else:
            begun = scripts.phase_begun(self.stdout)
            code = f", exit code {self.exit_code}" if self.exit_code not in (None, -1, 0) else ""
            said = f"Run Command says {_spaced(self.details or self.status)}{code}"
            said += f"; the phase was {begun}" if begun else ""
            said += "" if output else ", without any output"
        return f"{said}. Its last output:\n{output}" if output else f"{said}."


def _spaced(details: str) -> str:
    """``ExecutionTimedOut`` as ``Execution Timed Out``."""
    return "".join(
        f" {letter}" if index and letter.isupper() and details[index - 1].islower() else letter
        for index, letter in enumerate(details)
    )
