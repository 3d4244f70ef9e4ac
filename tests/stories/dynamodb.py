"""The ledger's table in this process: boto3 clients are answered by ministack's DynamoDB.

Nobody here wrote that DynamoDB, so conditions and expressions are judged by a stranger. Real
requests go in and real answers come out; only sending is replaced.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from botocore import parsers
from botocore.model import OperationModel
from ministack.services import dynamodb


@dataclass(frozen=True)
class _Http:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


def attach(session_events: Any, table_name: str) -> None:
    """Answer the DynamoDB clients that are made from now on with these events.

    There is one DynamoDB in the process: it is emptied, and has one new table with the key ``pk``.
    """
    dynamodb.reset()
    status, _, body = _send(
        "CreateTable",
        json.dumps(
            {
                "TableName": table_name,
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
            }
        ).encode(),
    )
    if status != 200:
        raise AssertionError(body)
    session_events.register_last("before-call.dynamodb", _answer)


def _answer(
    model: OperationModel, params: dict[str, Any], **_: Any
) -> tuple[_Http, dict[str, Any]]:
    status, headers, body = _send(model.name, params["body"])
    answer = {"status_code": status, "headers": headers, "body": body}
    parser = parsers.create_parser("json")
    parsed: dict[str, Any] = parser.parse(answer, model.output_shape)
    if status >= 300:
        code = parsed["Error"]["Code"]
        shape = model.service_model.shape_for_error_code(code)
        if shape is not None:
            parsed.update(parser.parse(answer, shape))
    return _Http(status), parsed


def _send(operation: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Call ministack's handler; it is a coroutine that never waits for anything."""
    call = dynamodb.handle_request(
        "POST", "/", {"x-amz-target": f"DynamoDB_20120810.{operation}"}, body, {}
    )
    try:
        call.send(None)
    except StopIteration as returned:
        status, headers, answer = returned.value
        return status, dict(headers), answer if isinstance(answer, bytes) else answer.encode()
    raise AssertionError("ministack's DynamoDB wants to wait")
