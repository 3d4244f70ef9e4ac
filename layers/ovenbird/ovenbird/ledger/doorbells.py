"""Doorbells: how often a thing has rung, and the task token of whoever waits for it.

The wait states of the state machine write the token themselves (``#token``, on condition that
``#rings`` is still what the step read), without a Lambda. Item: ``doorbell#<name>`` {rings, token,
expires}; ``expires`` is for DynamoDB's TTL only.
"""

from __future__ import annotations

from datetime import timedelta

from ovenbird import clock
from ovenbird.ledger import table
from ovenbird.ledger.table import Unmet

KEPT = timedelta(days=30)


def read(name: str) -> int:
    """How often it has rung. Call it *before* looking at the thing itself.

    A doorbell that nobody has read does not exist and cannot be rung; reading makes it.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        f"doorbell#{name}",
        "SET #rings = if_not_exists(#rings, :none), #expires = :expires",
        {"none": 0, "expires": int((clock.now() + KEPT).timestamp())},
    )
    return int(written.item["rings"])


def ring(name: str) -> str | None:
    """Ring it.

    Repeating it is harmless: whoever waits looks once more. The token stays until the next wait
    replaces it, so that whoever rings again, because the first one died before it used the token,
    finds it too.

    Returns:
        The task token to complete, or ``None`` where nobody has waited yet or no such doorbell
        exists. It may be stale: the wait was over before.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        f"doorbell#{name}",
        "SET #rings = #rings + :one",
        {"one": 1},
        condition="attribute_exists(#pk)",
    )
    if isinstance(written, Unmet):
        return None
    token = written.item.get("token")
    return str(token) if token else None
