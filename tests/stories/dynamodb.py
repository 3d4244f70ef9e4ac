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

from sandbox.cloud.errors import AwsError


@dataclass(frozen=True)
class _Http:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


def empty(table_name: str) -> None:
    """Begin anew: one table with the key ``pk``. There is one DynamoDB in the process."""
    dynamodb.reset()
    keys = {
        "TableName": table_name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    call("CreateTable", keys)


def call(operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """One call, with low-level parameters; for those who stand behind the clients already.

    Raises:
        AwsError: With the members of the error's shape, such as the ``Item`` that stood there.
    """
    status, _, body = _send(operation, json.dumps(params).encode())
    answer: dict[str, Any] = json.loads(body)
    if status >= 300:
        code = answer.pop("__type").split("#")[-1]
        message = answer.pop("message", answer.pop("Message", ""))
        raise AwsError(code, message, status, **answer)
    return answer


def items(table_name: str) -> dict[str, dict[str, Any]]:
    """Every item of the table by its key, in DynamoDB JSON."""
    return {item["pk"]["S"]: item for item in call("Scan", {"TableName": table_name})["Items"]}


def attach(session_events: Any, table_name: str) -> None:
    """Answer the DynamoDB clients that are made from now on with these events; begin anew."""
    empty(table_name)
    session_events.register_last("before-call.dynamodb", _answer)


def _answer(
    model: OperationModel, params: dict[str, Any], **_: Any
) -> tuple[_Http, dict[str, Any]]:
    status, headers, body = _send(model.name, params["body"])
    answer = {"status_code": status, "headers": headers, "body": body}
    parser = parsers.create_parser("json")
    assert model.output_shape is not None  # every operation of DynamoDB answers something
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
