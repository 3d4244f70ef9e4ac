"""HTTP as AWS speaks it, to and from the model cloud: the query protocols and JSON.

Where a request goes (which service) is the server's business; what it says is decided here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from sandbox.cloud.cloud import Cloud, unknown
from sandbox.cloud.errors import AwsError

Answer = tuple[int, dict[str, str], bytes]


def answer(
    cloud: Cloud, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """Do what a request asks and return status, headers and body.

    Args:
        service: boto3's name of the service, which the server knows from the signature.
        path: With the query string.

    Raises:
        LostAnswer: The call had its effect; the server must close the connection unanswered.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    fields = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True))
    target = lower.get("x-amz-target", "")
    is_json = bool(target)
    if not is_json:
        fields |= parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    operation = target.rpartition(".")[2] if is_json else fields.get("Action", "")
    protocol = _protocol(service, is_json=is_json)
    try:
        if not cloud.knows(service, operation):
            raise unknown(service, operation)
        model: OperationModel = get_service_model(service).operation_model(operation)
        params = _params(model, protocol, lower, fields, body)
        made = cloud.call(service, operation, params)
    except AwsError as error:
        return _error(protocol, error, cloud.request_id)
    return _result(model, protocol, made, cloud.request_id)


def _protocol(service: str, *, is_json: bool) -> str:
    if is_json:
        return "json"
    return "ec2" if service == "ec2" else "query"


def _params(
    model: OperationModel,
    protocol: str,
    headers: dict[str, str],
    fields: dict[str, str],
    body: bytes,
) -> dict[str, Any]:
    parser = PROTOCOL_PARSERS[protocol](model, timestamp_parser=parse_timestamp)
    request: Any = {
        "method": "POST",
        "values": fields,
        "headers": headers,
        "body": body,
        "url_path": "/",
        "url_params": {},
    }
    try:
        if protocol == "json":
            json.loads(body)  # moto's parser takes what is no JSON for a message
        parsed: dict[str, Any] = parser.parse(request)
    except (RequestParserError, ValueError, TypeError, AttributeError) as error:
        # moto's parsers trust their input: what is no number, or no JSON, ends as one of these
        code = "SerializationException" if protocol == "json" else "MalformedQueryString"
        raise AwsError(code, f"The request cannot be read: {error}") from error
    return parsed


def _result(model: OperationModel, protocol: str, made: dict[str, Any], request_id: str) -> Answer:
    serializer = get_serializer_class(model.service_model.service_name, protocol)(
        model, SerializationContext(request_id)
    )
    response = serializer.serialize(made)
    text = response["body"]
    return (
        response["status_code"],
        {**response["headers"], "x-amzn-RequestId": request_id},
        text.encode() if isinstance(text, str) else text,
    )


def _error(protocol: str, error: AwsError, request_id: str) -> Answer:
    """Sources: the error documents of the EC2, query and JSON protocols (smithy.io, AWS protocols).

    Written by hand: the models do not hold every code that the services answer with.
    """
    headers = {"x-amzn-RequestId": request_id}
    if protocol == "json":
        headers |= {
            "Content-Type": "application/x-amz-json-1.1",
            "x-amzn-ErrorType": error.code,
            "x-amzn-query-error": f"{error.code};{_fault(error)}",
        }
        text = json.dumps({"__type": error.code, "message": error.message})
        return error.status, headers, text.encode()
    headers["Content-Type"] = "text/xml"
    said = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol == "ec2":
        text = (
            f"<Response><Errors><Error>{said}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        text = (
            f"<ErrorResponse><Error><Type>{_fault(error)}</Type>{said}</Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return error.status, headers, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _fault(error: AwsError) -> str:
    return "Sender" if error.status < 500 else "Receiver"
