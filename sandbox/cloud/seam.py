"""boto3 clients of this process are answered by the model cloud, without HTTP.

The client's own machinery stays in play: it checks parameters, fills in client tokens, and retries
what its retry mode retries; only sending is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Protocol

import botocore.endpoint
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.hooks import first_non_none_response
from botocore.model import OperationModel

from sandbox.cloud import shapes
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import LostAnswer, NoConnection

_PARAMS = "model-cloud-params"
_ENDPOINT: Any = botocore.endpoint  # its ``time.sleep`` is the SDK's back-off


class Answering(Protocol):
    """What answers the clients: the model cloud, or something that has it inside."""

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it knows, by boto3's names."""

    @property
    def request_id(self) -> str:
        """The id of the call that was answered last."""

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Do it and answer as boto3 shows it; raises AwsError, LostAnswer and NoConnection."""


@dataclass(frozen=True)
class Http:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)


def attach(events: Any, cloud: Answering) -> None:
    """Answer the clients that are made from now on with these events (``boto3.Session().events``).

    Services that the cloud does not know are left alone.
    """

    def keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_PARAMS] = params  # by before-call they are bytes already

    def answer(
        model: OperationModel,
        params: dict[str, Any],
        request_signer: Any,
        context: dict[str, Any],
        **_: Any,
    ) -> tuple[Http, dict[str, Any]]:
        return _answer(cloud, model, params, request_signer, context)

    for service in cloud.services:
        name = shapes.model(service).service_id.hyphenize()
        events.register_last(f"before-parameter-build.{name}", keep)
        events.register_last(f"before-call.{name}", answer)


def _answer(
    cloud: Answering,
    model: OperationModel,
    request: dict[str, Any],
    request_signer: Any,
    context: dict[str, Any],
) -> tuple[Http, dict[str, Any]]:
    """One call with its retries: botocore skips its own loop when before-call gives the answer."""
    service = model.service_model
    emitter = request_signer._event_emitter  # the client's own: its retry handlers live there
    event = f"needs-retry.{service.service_id.hyphenize()}.{model.name}"
    attempts = 1
    while True:
        response, failure = _attempt(cloud, model, request["url"], context[_PARAMS])
        delay = first_non_none_response(
            emitter.emit(
                event,
                response=response,
                endpoint=None,
                operation=model,
                attempts=attempts,
                caught_exception=failure,
                request_dict=request,
            )
        )
        if delay is None or delay is False:
            break
        _ENDPOINT.time.sleep(delay)
        attempts += 1
    if response is None:
        assert failure is not None
        raise failure
    response[1]["ResponseMetadata"]["RetryAttempts"] = attempts - 1
    return response


def _attempt(
    cloud: Answering, model: OperationModel, url: str, params: dict[str, Any]
) -> tuple[tuple[Http, dict[str, Any]] | None, Exception | None]:
    try:
        answer = cloud.call(model.service_model.service_name, model.name, params)
    except LostAnswer as lost:
        return None, ReadTimeoutError(endpoint_url=url, error=lost)
    except NoConnection as lost:
        return None, ConnectTimeoutError(endpoint_url=url, error=lost)
    except AwsError as error:
        parsed: dict[str, Any] = {"Error": {"Code": error.code, "Message": error.message}}
        parsed |= error.members
        return (Http(error.status), parsed | _metadata(error.status, cloud)), None
    return (Http(200), answer | _metadata(200, cloud)), None


def _metadata(status: int, cloud: Answering) -> dict[str, Any]:
    return {
        "ResponseMetadata": {
            "RequestId": cloud.request_id,
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
        }
    }


@contextmanager
def virtual_sleep(cloud: Cloud) -> Iterator[None]:
    """Let the SDK's back-off pass on the cloud's (virtual) clock; the cloud goes on meanwhile.

    The SDK draws each pause at random; here it is a second, so that a story is the same every time.
    """
    real = _ENDPOINT.time
    _ENDPOINT.time = SimpleNamespace(sleep=lambda _: cloud.sleep(1.0))
    try:
        yield
    finally:
        _ENDPOINT.time = real
