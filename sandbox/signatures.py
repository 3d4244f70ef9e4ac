"""Signature Version 4, verified as AWS does: in the header, in the query, and chunk by chunk.

A signature shows that the holder of a secret said just this: method, path, query, signed headers
and body. Times are arguments.

Source: IAM user guide, "Create a signed AWS API request"; S3 API reference, "Authenticating
Requests: Using Query Parameters", "Signature Calculations for the Authorization Header:
Transferring Payload in Multiple Chunks", and the same "including trailing headers".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from botocore.utils import normalize_url_path

SKEW = timedelta(minutes=15)
LONGEST = timedelta(days=7)  # a presigned URL
UNSIGNED = "UNSIGNED-PAYLOAD"
SIGNED_CHUNKS = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(r"([\w-]{1,128})/(\d{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_BYTES = hashlib.sha256(b"").hexdigest()
_CHUNK = re.compile(rb"([0-9a-f]{1,8});chunk-signature=([0-9a-f]{64})\r\n")
_TRAILER_SIGNATURE = b"x-amz-trailer-signature:"


class NotVerified(Exception):
    """The request is not what a holder of a key said; ``code`` is AWS's name for why."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass(frozen=True)
class Request:
    """A request without its body; ``path`` and ``query`` as they were sent, names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signed:
    """What a request says of its own signature.

    ``payload`` is what it says of its body: a digest in hex, one of the words above, or empty where
    the body's digest counts.
    """

    request: Request
    key_id: str
    scope: str  # date/region/service/aws4_request
    service: str
    at: datetime
    headers: tuple[str, ...]
    signature: str
    payload: str
    query: str  # without the signature

    @property
    def needs_body(self) -> bool:
        """Whether the signature can be compared only when the body is known."""
        return not self.payload

    def check(self, secret: str, payload: str) -> None:
        """Whether it was made with this secret.

        Args:
            payload: The body's digest, or the word that stands for it.

        Raises:
            NotVerified: It was not.
        """
        canonical = "\n".join(
            (
                self.request.method,
                _path(self.request.path, self.service),
                _sorted(self.query),
                *(f"{name}:{_folded(self.request.headers[name])}" for name in self.headers),
                "",
                ";".join(self.headers),
                payload,
            )
        )
        text = "\n".join((_ALGORITHM, _text(self.at), self.scope, _sha256(canonical.encode())))
        _compare(_hmac(self._derived(secret), text), self.signature)

    def check_body(self, secret: str, body: bytes) -> None:
        """Whether the body is the one that was signed.

        Raises:
            NotVerified: It is not, or a chunk of it is not.
        """
        if self.payload in SIGNED_CHUNKS:
            self._check_chunks(secret, body)
        elif _SHA256.fullmatch(self.payload) and _sha256(body) != self.payload:
            raise NotVerified("XAmzContentSHA256Mismatch", "its body is not the one it was made of")

    def _check_chunks(self, secret: str, body: bytes) -> None:
        derived, previous, at, size = self._derived(secret), self.signature, 0, -1
        while size:
            found = _CHUNK.match(body, at)
            if not found:
                raise NotVerified("SignatureDoesNotMatch", "a chunk of its body is not signed")
            size, start = int(found[1], 16), found.end()
            chunk = body[start : start + size]
            signed = ("-PAYLOAD", previous, _NO_BYTES, _sha256(chunk))
            _compare(_hmac(derived, self._of_a_chunk(*signed)), found[2].decode())
            previous, at = found[2].decode(), start + size + (2 if size else 0)
        rest = body[at:]
        if self.payload == SIGNED_CHUNKS[1]:
            trailer, _, told = rest.rpartition(_TRAILER_SIGNATURE)
            lines = b"".join(line + b"\n" for line in trailer.split())
            text = self._of_a_chunk("-TRAILER", previous, _sha256(lines))
            _compare(_hmac(derived, text), told.strip().decode("latin-1"))
        elif rest.strip():
            raise NotVerified("SignatureDoesNotMatch", "more follows its last chunk")

    def _of_a_chunk(self, kind: str, *parts: str) -> str:
        return "\n".join((_ALGORITHM + kind, _text(self.at), self.scope, *parts))

    def _derived(self, secret: str) -> bytes:
        key = f"AWS4{secret}".encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def read(request: Request, now: datetime) -> Signed:
    """What the request says of its signature, which is not compared yet.

    Raises:
        NotVerified: It has none, one that leaves something out, or one of another time.
    """
    query = dict(_pairs(request.query))
    if "X-Amz-Signature" in query:
        return _in_query(request, query, now)
    return _in_header(request, now)


def _in_header(request: Request, now: datetime) -> Signed:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise NotVerified("MissingAuthenticationToken", "it has no signature (version 4)")
    at = _time(request.headers.get("x-amz-date", ""))
    if abs(now - at) > SKEW:
        raise NotVerified("RequestTimeTooSkewed", "its time is more than 15 minutes off")
    payload = request.headers.get("x-amz-content-sha256", "")
    return _signed(request, found["credential"], at, found["headers"], found["signature"], payload)


def _in_query(request: Request, query: Mapping[str, str], now: datetime) -> Signed:
    if "authorization" in request.headers or query.get("X-Amz-Algorithm") != _ALGORITHM:
        raise NotVerified("AuthorizationQueryParametersError", "it is signed in two ways, or none")
    at = _time(query.get("X-Amz-Date", ""))
    seconds = query.get("X-Amz-Expires", "")
    expires = timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,6}", seconds) else None
    if not expires or expires > LONGEST:
        raise NotVerified("AuthorizationQueryParametersError", "its X-Amz-Expires is not valid")
    if now > at + expires or at - now > SKEW:
        raise NotVerified("AccessDenied", "its time is over, or has not come")
    names = query.get("X-Amz-SignedHeaders", "")
    signature = query.get("X-Amz-Signature", "")
    return _signed(request, query.get("X-Amz-Credential", ""), at, names, signature, "")


def _signed(
    request: Request, credential: str, at: datetime, names: str, signature: str, payload: str
) -> Signed:
    found = _CREDENTIAL.fullmatch(credential)
    if not found or not _SHA256.fullmatch(signature) or found[2] != f"{at:%Y%m%d}":
        raise NotVerified("IncompleteSignature", "its credential, date or signature is malformed")
    key_id, date, region, service = found.groups()
    headers = tuple(names.split(";"))
    wanted = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    if list(headers) != sorted(set(headers)) or not wanted <= set(headers):
        raise NotVerified("SignatureDoesNotMatch", "a header that matters is not signed")
    if not set(headers) <= set(request.headers):
        raise NotVerified("SignatureDoesNotMatch", "a header that it signs is missing")
    if not payload and service == "s3":
        payload = UNSIGNED  # presigned; a header is always there otherwise
        if "authorization" in request.headers:
            raise NotVerified("SignatureDoesNotMatch", "S3 asks for x-amz-content-sha256")
    words = (UNSIGNED, *SIGNED_CHUNKS, UNSIGNED_CHUNKS)
    if payload and not _SHA256.fullmatch(payload) and not (service == "s3" and payload in words):
        raise NotVerified("InvalidRequest", "its x-amz-content-sha256 is not valid")
    query = "&".join(
        pair
        for pair in request.query.split("&")
        if unquote(pair.partition("=")[0]) != "X-Amz-Signature"
    )
    scope = f"{date}/{region}/{service}/aws4_request"
    return Signed(request, key_id, scope, service, at, headers, signature, payload, query)


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise NotVerified("IncompleteSignature", "it has no X-Amz-Date") from None


def _text(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def _path(path: str, service: str) -> str:
    """S3 signs a path as it is; the others one that is cleaned and encoded once more."""
    return path if service == "s3" else quote(normalize_url_path(path), safe="/~")


def _sorted(query: str) -> str:
    pairs = [tuple(quote(part, safe="-_.~") for part in pair) for pair in _pairs(query)]
    return "&".join("=".join(pair) for pair in sorted(pairs))


def _split(query: str) -> list[tuple[str, str]]:
    found = [pair.partition("=") for pair in query.split("&") if pair]
    return [(name, value) for name, _, value in found]


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(unquote(name), unquote(value)) for name, value in _split(query)]


def _folded(value: str) -> str:
    return " ".join(value.split())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hmac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _compare(made: str, told: str) -> None:
    if not hmac.compare_digest(made.encode(), told.encode()):
        raise NotVerified("SignatureDoesNotMatch", "its signature was made with another secret")
