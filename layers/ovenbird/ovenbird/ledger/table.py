"""The one table: items by their key ``pk``, read consistently, written under conditions.

Numbers come back as ``int``; fractions and whole documents are stored as JSON text by those who
need them. In expressions every attribute is written ``#name`` (many good names are reserved
words), and every value ``:name``.

Source: DynamoDB API reference, UpdateItem; developer guide, "Reserved words in DynamoDB".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ovenbird.aws import clients, faults
from ovenbird.errors import BadSettings

Item = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """The condition held and the item was written; ``item`` is what was asked for."""

    item: Item


@dataclass(frozen=True)
class Unmet:
    """The condition did not hold, nothing was written; ``item`` is what stands there."""

    item: Item


def get(pk: str) -> Item | None:
    """The item, or ``None``.

    Raises:
        Throttled, Unavailable: Repeat it.

    IAM: dynamodb:GetItem
    """
    with faults.translated(f"read {pk} from the ledger"):
        answer = clients.get("dynamodb").get_item(
            TableName=_name(), Key=_to_dynamodb({"pk": pk}), ConsistentRead=True
        )
    return _from_dynamodb(answer["Item"]) if answer.get("Item") else None


def update(
    pk: str,
    expression: str,
    values: Mapping[str, Any],
    *,
    condition: str = "",
    before: bool = False,
) -> Written | Unmet:
    """Write the item if the condition holds.

    A lost answer leaves the write in place, and botocore repeats the call; the conditions in this
    package therefore also hold, or can be told apart, when our own write is already there.

    Args:
        pk: The key; an item that is not there is made.
        expression: ``SET #a = :a REMOVE #b``.
        values: By name, without the colon; exactly those that the expressions use.
        condition: Empty means always.
        before: Answer the item as it was before the write, not after it.

    Raises:
        Throttled, Unavailable: Repeat it; the write may or may not be there.

    IAM: dynamodb:UpdateItem
    """
    attributes = set(re.findall(r"#(\w+)", f"{expression} {condition}"))
    request: dict[str, Any] = {
        "TableName": _name(),
        "Key": _to_dynamodb({"pk": pk}),
        "UpdateExpression": expression,
        "ReturnValues": "ALL_OLD" if before else "ALL_NEW",
    }
    if attributes:
        request["ExpressionAttributeNames"] = {f"#{name}": name for name in sorted(attributes)}
    if values:
        request["ExpressionAttributeValues"] = {
            f":{name}": value for name, value in _to_dynamodb(values).items()
        }
    if condition:
        request["ConditionExpression"] = condition
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    client = clients.get("dynamodb")
    with faults.translated(f"write {pk} to the ledger"):
        try:
            answer = client.update_item(**request)
        except client.exceptions.ConditionalCheckFailedException as error:
            return Unmet(_from_dynamodb(error.response.get("Item") or {}))
    return Written(_from_dynamodb(answer.get("Attributes") or {}))


def _name() -> str:
    name = os.environ.get("OVENBIRD_TABLE", "")
    if not name:
        raise BadSettings("OVENBIRD_TABLE is ''; it must be a DynamoDB table name.")
    return name


def _to_dynamodb(item: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in item.items()}


def _from_dynamodb(item: Mapping[str, Any]) -> Item:
    deserializer = TypeDeserializer()
    return {name: _plain(deserializer.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value
