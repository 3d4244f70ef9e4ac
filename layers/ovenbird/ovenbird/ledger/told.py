"""What people were told of already, so that the same thing a hundred times is one notice.

Item: ``told#<what>`` {digest, until, expires}. It is claimed for a moment before the notice is sent
and kept for long afterwards, so that a function which is killed between the two does not silence
it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ovenbird.ledger import table
from ovenbird.ledger.table import Written

SENDING = timedelta(seconds=45)  # Lambda tries an event again a minute after it was killed
FORGOTTEN = timedelta(days=30)


def claim(what: str, digest: str, now: datetime) -> bool:
    """Whether people are to be told now: not yet, of something else, or too long ago.

    Args:
        what: What it is about, as ``document#web``.
        digest: What is said of it; the same for whatever is not worth another notice.

    IAM: dynamodb:UpdateItem
    """
    seconds = int(now.timestamp())
    claimed = table.update(
        _pk(what),
        "SET #digest = :digest, #until = :until, #expires = :expires",
        {
            "digest": digest,
            "until": seconds + int(SENDING.total_seconds()),
            "expires": seconds + int(FORGOTTEN.total_seconds()),
            "now": seconds,
        },
        condition="attribute_not_exists(#digest) OR #digest <> :digest OR #until < :now",
    )
    return isinstance(claimed, Written)


def keep(what: str, digest: str, now: datetime, quiet: timedelta) -> None:
    """The notice was sent: nobody is told the same again for as long as that.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        _pk(what),
        "SET #until = :until",
        {"digest": digest, "until": int((now + quiet).timestamp())},
        condition="#digest = :digest",
    )


def forget(what: str) -> None:
    """It is well again; the same would be news.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        _pk(what), "SET #until = :none", {"none": 0}, condition="attribute_exists(#digest)"
    )


def _pk(what: str) -> str:
    return f"told#{what}"
