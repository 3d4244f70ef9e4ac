"""What people are told of once, however often it happens, and outside of any rollout."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from ovenbird.aws import topic
from ovenbird.core import notices
from ovenbird.core.notices import Notice
from ovenbird.ledger import told
from ovenbird.settings import settings

DOCUMENT = timedelta(days=1)  # while a document stays wrong
IMAGE = timedelta(hours=1)
REQUEST = timedelta(hours=1)  # whoever may put events can put any number of them


def bad_document(fleet: str, mistakes: Sequence[str], now: datetime, push: str = "") -> bool:
    """Tell of every mistake in a fleet's document; once a day for the same ones.

    Args:
        push: What was passed over because of it; empty where the document was only written.

    Returns:
        Whether a notice was sent now.
    """
    digest = _digest("\n".join(mistakes))
    parameter = f"{settings().parameters}/{fleet}"
    notice = notices.bad_document(fleet, parameter, mistakes, push)
    return _once(_key(fleet, push), digest, notice, now, DOCUMENT)


def good_document(fleet: str) -> None:
    """A document was written that has no mistake; the same mistakes again would be news."""
    for push in ("", "push"):
        told.forget(_key(fleet, push))


def refused_request(fleet: str, reason: str, request: str, now: datetime) -> bool:
    """Tell of a request that was refused; once an hour for a fleet, whatever it asked for.

    Args:
        fleet: Empty where there is none of the name that it gives.
    """
    notice = notices.refused_request(fleet, reason, request)
    return _once(f"request#{fleet}", "any", notice, now, REQUEST)


def unpublished_image(fleet: str, why: str, now: datetime) -> bool:
    """Tell that AWS did not take the image that a fleet runs; once an hour for the same reason.

    Args:
        why: AWS's words.
    """
    notice = notices.unpublished_image(fleet, f"{settings().parameters}/{fleet}/image", why)
    return _once(f"image#{fleet}", _digest(why), notice, now, IMAGE)


def _key(fleet: str, push: str) -> str:
    return f"{'push' if push else 'document'}#{fleet}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _once(what: str, digest: str, notice: Notice, now: datetime, quiet: timedelta) -> bool:
    if not told.claim(what, digest, now):
        return False
    topic.publish(notice)
    told.keep(what, digest, now, quiet)
    return True
