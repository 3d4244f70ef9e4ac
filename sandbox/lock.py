"""The lock on the endpoint: nobody gets in but the holders of the sandbox's own credentials.

The sandbox runs the releases that it is given, with the rights of whoever started it. So whoever
reaches its endpoint, and that is every program of this machine and every page in its browsers,
needs the credentials that were exported, and a signature made with them. Refused besides, signed or
not: whatever a browser sends for a page (``Origin``, ``Sec-Fetch-Site``, preflights, WebSockets),
and names that are not the endpoint's own (DNS rebinding). No answer lets a page read it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from sandbox.asgi import Application, Message, Receive, Scope, Send
from sandbox.keys import Key, Keys
from sandbox.loopback import Place
from sandbox.signatures import NotVerified, Request, Signed, read

MOST_SIGNED = 1 << 30  # bytes of a body whose signature was compared before it is read
MOST_UNREAD = 64 << 20  # of one that has to be read first; AWS's largest are 50 MB
WANTED = (
    "The sandbox wants the credentials that it printed when it was started "
    "(export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…), and refuses this request: "
)
_ONCE = {"host", "authorization", "content-length", "transfer-encoding", "origin"}
_QUERY = {"autoscaling", "cloudformation", "elasticloadbalancing", "iam", "sns", "sts"}
_READING = {"GET", "HEAD"}


class Refused(Exception):
    """The request is not let in; ``why`` ends a sentence."""

    def __init__(self, code: str, why: str, status: int = 403) -> None:
        super().__init__(why)
        self.code, self.why, self.status = code, why, status


@dataclass
class Lock:
    """An ASGI application in front of another; ``refused`` counts the refusals by code."""

    inside: Application
    keys: Keys
    place: Place
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    refused: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.inside(scope, receive, send)
            return
        if scope["type"] != "http":
            self.refused["WebSocket"] += 1
            await send({"type": "websocket.close", "code": 1008})  # before it opens: 403
            return
        request = _request(scope)
        try:
            body = await self._let_in(scope, request, receive)
        except Refused as refusal:
            self.refused[refusal.code] += 1
            await _refuse(scope, request, refusal, send)
            return
        await self.inside(scope, _again(body, receive), _without_cors(send))

    async def _let_in(self, scope: Scope, request: Request, receive: Receive) -> bytes:
        """The body of a request that its signature covers.

        Raises:
            Refused: It does not come from a holder of one of the keys.
        """
        self._look(scope, request)
        try:
            signed = read(request, self.now())
            key = self._key(signed)
            if not signed.needs_body:
                signed.check(key.secret, signed.payload)
                body = await _read(request, receive, MOST_SIGNED)
                signed.check_body(key.secret, body)
            else:
                body = await _read(request, receive, MOST_UNREAD)
                signed.check(key.secret, hashlib.sha256(body).hexdigest())
        except NotVerified as failure:
            raise Refused(failure.code, failure.why) from None
        if key.reads_s3_only and (signed.service != "s3" or request.method not in _READING):
            raise Refused("AccessDenied", "an instance may read from S3, and do nothing else")
        return body

    def _look(self, scope: Scope, request: Request) -> None:
        """What is refused whoever has signed it."""
        names = Counter(name.decode("latin-1").lower() for name, _ in scope["headers"])
        if any(names[name] > 1 for name in names if name in _ONCE or name.startswith("x-amz-")):
            raise Refused("InvalidRequest", "a header that may come once comes twice")
        if "origin" in names or request.method == "OPTIONS":
            raise Refused("AccessDenied", "it comes from a web page")
        if request.headers.get("sec-fetch-site", "none") != "none":
            raise Refused("AccessDenied", "it comes from a web page")
        own = {f"{host}:{self.place.port}" for host in (self.place.host, "localhost")}
        if request.headers.get("host", "").lower() not in own:
            raise Refused("AccessDenied", f"its Host is not {self.place.host}:{self.place.port}")
        if not request.path.startswith("/"):
            raise Refused("InvalidRequest", "its path does not begin with a slash")

    def _key(self, signed: Signed) -> Key:
        try:
            return self.keys[signed.key_id]
        except KeyError:
            why = "its access key is not one of this sandbox"
            raise Refused("InvalidClientTokenId", why) from None


def _request(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        scope["method"],
        path.decode("latin-1").partition("?")[0],
        scope["query_string"].decode("latin-1"),
        headers,
    )


async def _read(request: Request, receive: Receive, most: int) -> bytes:
    told = request.headers.get("content-length", "0")
    pieces, size = [], int(told) if told.isdecimal() else 0
    read_so_far = 0
    more = True
    while more and max(size, read_so_far) <= most:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("IncompleteBody", "it was broken off", 400)
        pieces.append(message.get("body", b""))
        read_so_far += len(pieces[-1])
        more = message.get("more_body", False)
    if max(size, read_so_far) > most:
        raise Refused("EntityTooLarge", f"its body is larger than {most} bytes", 413)
    return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, once; then whatever else comes."""
    left = [body]

    async def receive_again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return receive_again


def _without_cors(send: Send) -> Send:
    """ministack tells browsers that any page may read its answers."""

    async def send_without(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if not bytes(name).lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": kept}
        await send(message)

    return send_without


async def _refuse(scope: Scope, request: Request, refusal: Refused, send: Send) -> None:
    kind, body = _shape(request, refusal.code, f"{WANTED}{refusal.why}.")
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", refusal.code.encode()),
    ]
    if scope.get("http_version", "1.1") < "2":
        headers.append((b"connection", b"close"))  # what is left of the body is not read
    start = {"type": "http.response.start", "status": refusal.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def _shape(request: Request, code: str, message: str) -> tuple[str, bytes]:
    """The error in the shape of the service that was meant: its content type and its text.

    Sources: the error documents of AWS's protocols (smithy.io), and of S3 (API reference).
    """
    scope = request.headers.get("authorization", "").partition("Credential=")[2].split("/")
    service = scope[3] if len(scope) > 4 else ""
    kind = request.headers.get("content-type", "")
    if "x-amz-target" in request.headers or kind.startswith("application/x-amz-json"):
        return "application/x-amz-json-1.1", _json(__type=code, message=message)
    said = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        text = f"<Response><Errors><Error>{said}</Error></Errors></Response>"
    elif service in _QUERY or kind.startswith("application/x-www-form-urlencoded"):
        text = f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error></ErrorResponse>"
    elif service not in ("", "s3"):
        return "application/json", _json(Type="User", message=message)
    else:
        text = f"<Error>{said}</Error>"
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _json(**members: str) -> bytes:
    return json.dumps(members).encode()
