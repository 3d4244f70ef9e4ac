"""CheckFleet: a parameter of a fleet was written, or somebody asks what a document would be worth.

A mistake is told of at once and not only by the first push that it costs. By hand, a document can
be checked before it is stored. Where AWS did not take the image that a fleet runs, that is told.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ovenbird import announcements, answers
from ovenbird import fleet as documents
from ovenbird.answers import Answer
from ovenbird.aws import parameters
from ovenbird.core.quotes import plain
from ovenbird.errors import BadFleet, NotFound
from ovenbird.events import Ignored, by_hand, ssm
from ovenbird.fleet import Fleet
from ovenbird.ledger import documents as ledger
from ovenbird.settings import settings


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Check it: ``{"good": true, "mistakes": [...]}``; repeating it changes nothing more.

    Raises:
        BadEvent: The event or payload is not well made.
        NotFound: A person names a fleet that has no document.
    """
    if "detail-type" not in event:
        return _by_hand(event)
    if (unpublished := ssm.unpublished_image(event, settings().parameters)) is not None:
        told = announcements.unpublished_image(unpublished.fleet, unpublished.why, now)
        return answers.done(f"Told: {unpublished.why}.", told=told)
    written = ssm.document_written(event, settings().parameters)
    if isinstance(written, Ignored):
        return answers.done(f"Ignored: {written.reason}.", ignored=written.reason)
    ledger.changed(settings().parameters)  # first of all: nobody goes by what was read before
    if written.gone:
        announcements.good_document(written.fleet)
        return answers.done(f"Fleet {plain(written.fleet)} has no document any more.", mistakes=[])
    try:
        answer = _good(parameters.fleet(written.fleet))
    except NotFound as gone:
        return answers.done(str(gone), mistakes=[])
    except BadFleet as wrong:
        told = announcements.bad_document(written.fleet, wrong.mistakes, now)
        return _bad(wrong) | {"told": told}
    announcements.good_document(written.fleet)
    return answer


def _by_hand(event: dict[str, Any]) -> Answer:
    asked = by_hand.checked(event)
    if asked.document is None:
        try:
            return _good(parameters.fleet(asked.fleet))
        except BadFleet as wrong:
            return _bad(wrong)
    text = asked.document if isinstance(asked.document, str) else json.dumps(asked.document)
    try:
        return _good(documents.parse(asked.fleet, text))
    except BadFleet as wrong:
        return _bad(wrong)


def _good(fleet: Fleet) -> Answer:
    named = ", ".join(f"release.{kind}" for kind in fleet.release.named) or "requests alone"
    return answers.done(
        f"Fleet {fleet.name}: its document is good; its releases come by {named}.",
        good=True,
        mistakes=[],
    )


def _bad(wrong: BadFleet) -> Answer:
    return answers.done(str(wrong), good=False, mistakes=list(wrong.mistakes))
