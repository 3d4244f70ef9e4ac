"""The documents of all fleets, remembered for some seconds by the process that read them.

A bucket that sends an event for each of a thousand foreign objects, or an alarm that is none of
ours, would else have them all read each time, ten in a call, and Parameter Store allows the whole
account forty calls a second. What is remembered only ever says that something concerns *no* fleet,
and only while no document was written since (:mod:`ovenbird.ledger.documents`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ovenbird.aws import parameters
from ovenbird.aws.parameters import Documents
from ovenbird.ledger import documents as ledger
from ovenbird.settings import settings

LASTS = timedelta(seconds=20)  # if the event of a change was lost
# One call reads so many, and a look at the ledger is a call too. Source: Systems Manager API
# reference, GetParametersByPath.
IN_ONE_CALL = 10


@dataclass(frozen=True)
class _Read:
    """``changes`` is ``None`` where nobody looked: so few documents are read anew each time."""

    documents: Documents
    changes: int | None
    at: datetime

    @property
    def is_cheap(self) -> bool:
        return len(self.documents.names) <= IN_ONE_CALL


_last: _Read | None = None


def read(now: datetime) -> Documents:
    """Every document as it stands now."""
    global _last
    cheap = _last is not None and _last.is_cheap
    changes = (
        None if cheap else ledger.changes(settings().parameters)
    )  # before: what is written meanwhile counts
    _last = _Read(parameters.fleets(), changes, now)
    return _last.documents


def recent(now: datetime) -> Documents | None:
    """As they stood some seconds ago, if none was written since; else ``None``."""
    last = _last
    if last is None or last.changes is None or last.is_cheap:
        return None
    if not timedelta() <= now - last.at < LASTS:
        return None
    return last.documents if ledger.changes(settings().parameters) == last.changes else None


def forget() -> None:
    """As in a new process."""
    global _last
    _last = None
