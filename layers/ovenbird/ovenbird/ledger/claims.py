"""Claims on Elastic IPs, so that two steps never move the same address at the same time.

Item: ``address#<allocation id>`` {instance, until}. A claim ends by itself: the condition compares
``until``, because TTL deletes late.
"""

from __future__ import annotations

from datetime import datetime

from ovenbird.ledger import table
from ovenbird.ledger.table import Written


def claim(allocation: str, instance: str, now: datetime, seconds: int = 60) -> bool:
    """Claim the address for an instance; ``False`` while somebody else's claim is valid.

    Claiming again for the same instance prolongs the claim.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        f"address#{allocation}",
        "SET #instance = :instance, #until = :until",
        {
            "instance": instance,
            "until": int(now.timestamp()) + seconds,
            "now": int(now.timestamp()),
        },
        condition="attribute_not_exists(#instance) OR #instance = :instance OR #until < :now",
    )
    return isinstance(written, Written)


def free(allocation: str, instance: str) -> None:
    """Give the claim back; without effect where it is somebody else's.

    IAM: dynamodb:UpdateItem
    """
    table.update(
        f"address#{allocation}",
        "REMOVE #instance, #until",
        {"instance": instance},
        condition="#instance = :instance",
    )
