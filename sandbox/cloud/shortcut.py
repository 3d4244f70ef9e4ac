"""The seam, several times faster: a call goes to the cloud without being written as a request.

Retries, client tokens, paginators and errors are the SDK's own, as in :mod:`sandbox.cloud.seam`.
What is left out costs most of a call's time and decides nothing: endpoints, headers, serialising,
and a second check of the parameters, which the cloud checks against the same models. Each call has
the SDK's tries, but not the quota by which a client that fails all the time stops trying: that
outlives a world in one process, and one world must not depend on another.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.endpoint
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.model import OperationModel
from botocore.retries.standard import RetryContext, StandardRetryConditions

from sandbox.cloud import shapes
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import LostAnswer, NoConnection
from sandbox.cloud.seam import Answering, Http

_ENDPOINT: Any = botocore.endpoint  # its ``time.sleep`` is the SDK's back-off
_ELSEWHERE = "https://model.cloud"


def attach(events: Any, cloud: Answering) -> None:
    """Answer the clients that are made from now on with these events (``boto3.Session().events``).

    Services that the cloud does not know are left alone.
    """

    class Direct:
        """Comes before botocore's own client class."""

        meta: Any
        exceptions: Any
        _emit_api_params: Any

        def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> dict[str, Any]:
            model = self.meta.service_model.operation_model(operation_name)
            if model.idempotent_members:  # they get a token where the caller gave none
                api_params = self._emit_api_params(
                    api_params=api_params, operation_model=model, context={}
                )
            most = self.meta.config.retries["total_max_attempts"]
            answer = _answer(cloud, model, api_params, most)
            if "Error" in answer:
                raise self.exceptions.from_code(answer["Error"]["Code"])(answer, operation_name)
            return answer

    def come_first(base_classes: list[type], **_: Any) -> None:
        base_classes.insert(0, Direct)

    for service in cloud.services:
        name = shapes.model(service).service_id.hyphenize()
        events.register(f"creating-client-class.{name}", come_first)


@cache
def _conditions(most: int) -> StandardRetryConditions:
    return StandardRetryConditions(most)


def _answer(
    cloud: Answering, model: OperationModel, params: dict[str, Any], most: int
) -> dict[str, Any]:
    service, attempts = model.service_model.service_name, 1
    while True:
        answer: dict[str, Any] = {}
        failure: Exception | None = None
        status = 200
        try:
            answer = cloud.call(service, model.name, params)
        except LostAnswer as lost:
            failure = ReadTimeoutError(endpoint_url=_ELSEWHERE, error=lost)
        except NoConnection as lost:
            failure = ConnectTimeoutError(endpoint_url=_ELSEWHERE, error=lost)
        except AwsError as error:
            status = error.status
            answer = {"Error": {"Code": error.code, "Message": error.message}, **error.members}
        answer["ResponseMetadata"] = {
            "RequestId": cloud.request_id,
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
            "RetryAttempts": attempts - 1,
        }
        if failure is None and status < 300:
            return answer
        seen = RetryContext(
            attempts,
            operation_model=model,
            parsed_response=None if failure else answer,
            http_response=None if failure else Http(status),
            caught_exception=failure,
        )
        if not _conditions(most).is_retryable(seen):
            if failure is not None:
                raise failure
            return answer
        _ENDPOINT.time.sleep(1)
        attempts += 1
