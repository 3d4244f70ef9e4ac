"""One endpoint for all of AWS: the fleet's calls go to the model cloud, the rest to ministack.

Which service a request is for stands in its signature (the credential scope), as on AWS; which
operation, in ``X-Amz-Target`` or in the form field ``Action``.
Source: IAM User Guide, "Elements of an AWS API request signature".
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.asgi import Application, Receive, Scope, Send
from sandbox.cloud import wire
from sandbox.cloud.cloud import Cloud

_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/[^/]*/([^/]+)/aws4_request")
# The credential scope's name of a service → boto3's.
_SERVICES = {
    "ec2": "ec2",
    "autoscaling": "autoscaling",
    "elasticloadbalancing": "elbv2",
    "ssm": "ssm",
}
# The rest of Systems Manager (Parameter Store above all) is ministack's.
RUN_COMMAND = frozenset(
    {
        "SendCommand",
        "CancelCommand",
        "ListCommands",
        "ListCommandInvocations",
        "GetCommandInvocation",
        "DescribeInstanceInformation",
    }
)


def destination(headers: dict[str, str]) -> str | None:
    """The model cloud's service that a request is for; ``None`` for ministack.

    Args:
        headers: Names in lower case.
    """
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = _SERVICES.get(scope[2]) if scope else None
    if service == "ssm" and headers.get("x-amz-target", "").rpartition(".")[2] not in RUN_COMMAND:
        return None
    return service


@dataclass(frozen=True)
class Call:
    """A call that came through the door.

    ``caller`` is the access key's id: people, Lambda functions and instances have each their own.
    ``operation`` is empty where only the body of a request to ministack names it.
    """

    caller: str
    service: str
    operation: str


def call(headers: dict[str, str], body: bytes = b"") -> Call | None:
    """Who calls what; ``None`` for a request without a signature."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    if not scope:
        return None
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if not operation and body:
        operation = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    return Call(scope[1], scope[2], operation)


class Gateway:
    """The ASGI application of the sandbox; ``calls`` are all that it was asked, in order.

    The model's calls run in threads of their own, because each waits for the cloud's lock: the
    event loop, on which ministack's answers depend, never does.
    """

    def __init__(self, cloud: Cloud, ministack: Application) -> None:
        self._cloud, self._ministack = cloud, ministack
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="model-cloud")
        self.calls: list[Call] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = (
            {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in scope["headers"]
            }
            if scope["type"] == "http"
            else {}
        )
        service = destination(headers)
        if service is None:
            self._note(call(headers))
            await self._ministack(scope, receive, send)
            return
        body = await _body(receive)
        self._note(call(headers, body))
        path = scope["path"] + (f"?{query.decode()}" if (query := scope["query_string"]) else "")
        loop = asyncio.get_running_loop()
        status, answer_headers, answer = await loop.run_in_executor(
            self._threads, self._answer, service, scope["method"], path, headers, body
        )
        encoded = [
            (name.encode(), value.encode("latin-1")) for name, value in answer_headers.items()
        ]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer})

    def _note(self, called: Call | None) -> None:
        if called:
            self.calls.append(called)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _answer(
        self, service: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        with self._cloud.kernel.lock:
            return wire.answer(self._cloud, service, method, path, headers, body)


async def _body(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)
