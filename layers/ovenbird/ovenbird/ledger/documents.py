"""How often a fleet document was written: a counter, so that nobody goes by what was read before.

Item: ``documents#<path>`` {written}. Parameter Store tells of a change by an event, some moments
later.
"""

from __future__ import annotations

from ovenbird.ledger import table
from ovenbird.ledger.table import Written


def changes(path: str) -> int:
    """How often; read it *before* the documents themselves.

    Args:
        path: Where they lie, as ``/ovenbird/fleets``.

    IAM: dynamodb:GetItem
    """
    return int((table.get(_pk(path)) or {}).get("written", 0))


def changed(path: str) -> int:
    """One was written or deleted; told twice it only makes somebody read them once more.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(path), "SET #written = if_not_exists(#written, :none) + :one", {"none": 0, "one": 1}
    )
    assert isinstance(written, Written)  # there is no condition
    return int(written.item["written"])


def _pk(path: str) -> str:
    return f"documents#{path}"
