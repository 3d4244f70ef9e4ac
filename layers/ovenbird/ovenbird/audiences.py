"""Whom a push is for: the fleets that want it, and for each other one why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ovenbird import catalogue
from ovenbird.aws import parameters
from ovenbird.aws.parameters import BadDocument, Documents
from ovenbird.core import releases, sources
from ovenbird.core.names import nearest
from ovenbird.core.quotes import quoted
from ovenbird.core.releases import Push, Release, Unwanted
from ovenbird.errors import BadFleet, NotFound
from ovenbird.fleet import NAME
from ovenbird.settings import settings


@dataclass(frozen=True)
class Audience:
    """The fleets by name.

    ``near`` are those of ``unwanting`` that name the push's bucket, pipeline, repository or
    project; ``concerned`` those of ``bad`` that may have wanted it. ``missing`` is the sentence
    about a fleet that a request names and that does not exist.
    """

    wanting: tuple[tuple[str, Release], ...] = ()
    unwanting: tuple[tuple[str, str], ...] = ()
    near: tuple[tuple[str, str], ...] = ()
    bad: tuple[BadDocument, ...] = ()
    concerned: tuple[BadDocument, ...] = ()
    missing: str = ""


def of(push: Push, now: datetime) -> Audience:
    """Read the documents that it takes; a request names its fleet, and only that one is read.

    What was read some seconds ago is believed where it says that a push concerns nobody, and where
    no document was written since; whoever wants a push is read anew.
    """
    if push.fleet is not None:
        return _of_one(push, push.fleet, now)
    documents = catalogue.recent(now)
    if documents is None or any(_concerns(fleet.release, push) for fleet in documents.fleets):
        documents = catalogue.read(now)
    return _judge(push, documents)


def _of_one(push: Push, name: str, now: datetime) -> Audience:
    try:
        if not re.fullmatch(NAME, name):  # whoever sends events may call a fleet anything
            raise NotFound(f"There is no fleet {quoted(name)}; a name must match {NAME}.")
        return _judge(push, Documents((parameters.fleet(name),)))
    except NotFound as missing:
        known = (catalogue.recent(now) or catalogue.read(now)).names
        meant = nearest(name, known)
        return Audience(missing=f"{missing} Did you mean {meant}?" if meant else str(missing))
    except BadFleet as wrong:
        bad = (BadDocument(name, "", str(wrong), wrong.mistakes),)
        return Audience(bad=bad, concerned=bad)


def _judge(push: Push, documents: Documents) -> Audience:
    judged = [
        (fleet, releases.wanted(fleet.release, push, settings().home)) for fleet in documents.fleets
    ]
    unwanting = [(fleet, it.reason) for fleet, it in judged if isinstance(it, Unwanted)]
    return Audience(
        wanting=tuple((fleet.name, it) for fleet, it in judged if isinstance(it, Release)),
        unwanting=tuple((fleet.name, reason) for fleet, reason in unwanting),
        near=tuple(
            (fleet.name, reason) for fleet, reason in unwanting if _concerns(fleet.release, push)
        ),
        bad=documents.bad,
        concerned=_concerned(push, documents.bad),
    )


def _concerns(wanted: sources.ReleaseSources, push: Push) -> bool:
    return sources.concerns(wanted, push.source, push.names)


def _concerned(push: Push, bad: Sequence[BadDocument]) -> tuple[BadDocument, ...]:
    """A document that cannot be read at all may have wanted anything."""
    return tuple(
        each
        for each in bad
        if not each.text or sources.may_concern(each.text, push.source, push.names)
    )
