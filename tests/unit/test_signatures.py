"""The sandbox's check of signatures, against botocore's and against AWS's published examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.signatures import NotVerified, Request, Signed, read

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:4566"
AS_S3 = S3SigV4Auth
Sign = Callable[[AWSRequest], Request]


def sign(
    auth: Any,
    service: str = "ec2",
    *,
    method: str = "POST",
    url: str = "/",
    body: bytes = b"",
    **headers: str,
) -> Request:
    """A request as botocore signs it now."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made = AWSRequest(method, f"http://{HOST}{url}", headers={"Host": HOST, **named}, data=body)
    auth(Credentials(KEY, SECRET), service, "us-east-1").add_auth(made)
    parts = urlsplit(str(made.url))
    sent = {name.lower(): str(value) for name, value in made.headers.items()}
    return Request(method, parts.path, parts.query, sent)


def verify(
    request: Request, body: bytes = b"", *, secret: str = SECRET, late: timedelta = timedelta()
) -> Signed:
    """As the lock does it."""
    signed = read(request, datetime.now(UTC) + late)
    signed.check(secret, signed.payload or hashlib.sha256(body).hexdigest())
    signed.check_body(secret, body)
    return signed


def refused(request: Request, body: bytes = b"", **rest: Any) -> str:
    with pytest.raises(NotVerified) as failure:
        verify(request, body, **rest)
    return failure.value.code


def with_headers(request: Request, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **named})


BODY = b"Action=DescribeVpcs&Version=2016-11-15"


@pytest.mark.parametrize(
    ("auth", "service", "method", "url", "body"),
    [
        (SigV4Auth, "ec2", "POST", "/", BODY),
        (SigV4Auth, "states", "POST", "/", b"{}"),
        (SigV4Auth, "lambda", "POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", b""),
        (SigV4Auth, "lambda", "GET", "/2015-03-31/a/../functions/?b=2&a=%20x&a-b=3&a=", b""),
        (AS_S3, "s3", "PUT", "/web-releases/web/a%20b%2Bc.tar.gz", b"artefact"),
        (AS_S3, "s3", "GET", "/web-releases?list-type=2&prefix=web%2F&delimiter=%2F", b""),
        (SigV4QueryAuth, "sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", b""),
        (S3SigV4QueryAuth, "s3", "GET", "/web-releases/web/2.tar.gz?versionId=abc", b""),
    ],
)
def test_what_botocore_signs_is_verified(
    auth: Any, service: str, method: str, url: str, body: bytes
) -> None:
    request = sign(auth, service, method=method, url=url, body=body)
    signed = verify(request, body)
    assert (signed.key_id, signed.service) == (KEY, service)
    assert refused(request, body, secret=SECRET[:-1]) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "tampered",
    [
        lambda r: replace(r, method="DELETE"),
        lambda r: replace(r, path="/web-releases/web/other.tar.gz"),
        lambda r: replace(r, query="acl"),
        lambda r: with_headers(r, host="evil.example:4566"),
        lambda r: with_headers(r, x_amz_acl="public-read-write"),
        lambda r: with_headers(r, x_amz_content_sha256="UNSIGNED-PAYLOAD"),
        lambda r: with_headers(r, authorization=r.headers["authorization"][:-1] + "0"),
        lambda r: with_headers(
            r, authorization=r.headers["authorization"].replace("us-east-1", "eu-west-1")
        ),
        lambda r: with_headers(r, authorization=r.headers["authorization"].replace("host;", "")),
    ],
)
def test_nothing_of_a_signed_request_can_be_changed(tampered: Callable[[Request], Request]) -> None:
    request = sign(AS_S3, "s3", method="PUT", url="/web-releases/web/2.tar.gz", body=b"good")
    verify(request, b"good")
    assert refused(tampered(request), b"good")


def test_the_body_is_the_one_that_was_signed() -> None:
    request = sign(AS_S3, "s3", method="PUT", url="/b/k", body=b"good")
    assert refused(request, b"evil") == "XAmzContentSHA256Mismatch"
    assert refused(sign(SigV4Auth, body=BODY), BODY + b"&x=y") == "SignatureDoesNotMatch"


def test_only_s3_leaves_its_body_unsigned() -> None:
    word = "UNSIGNED-PAYLOAD"
    s3 = sign(SigV4Auth, "s3", method="PUT", url="/b/k", x_amz_content_sha256=word)
    assert verify(s3, b"whatever").payload == word
    assert refused(sign(SigV4Auth, "ec2", x_amz_content_sha256=word), BODY) == "InvalidRequest"


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_is_good_for_a_quarter_of_an_hour(minutes: int) -> None:
    late = timedelta(minutes=minutes)
    assert refused(sign(SigV4Auth, body=BODY), BODY, late=late) == "RequestTimeTooSkewed"
    verify(sign(SigV4Auth, body=BODY), BODY, late=late * 0.9)


def test_a_presigned_url_ends_when_it_says() -> None:
    request = sign(S3SigV4QueryAuth, "s3", method="GET", url="/b/k")  # an hour, by default
    verify(request, late=timedelta(minutes=59))
    assert refused(request, late=timedelta(minutes=61)) == "AccessDenied"
    assert refused(request, late=timedelta(minutes=-16)) == "AccessDenied"
    longer = replace(request, query=request.query.replace("Expires=3600", "Expires=36000"))
    assert refused(longer, late=timedelta(minutes=61)) == "SignatureDoesNotMatch"
    for_ever = replace(request, query=request.query.replace("Expires=3600", "Expires=999999"))
    assert refused(for_ever) == "AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer sandbox",
        "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
        "AWS4-HMAC-SHA256 Credential=sandbox/20260105/us-east-1/s3/aws4_request",
        "AWS4-ECDSA-P256-SHA256 Credential=x/20260105/s3/aws4_request, SignedHeaders=host, "
        "Signature=00",
    ],
)
def test_any_other_signature_is_none(authorization: str) -> None:
    request = with_headers(sign(SigV4Auth, body=BODY), authorization=authorization)
    assert refused(request, BODY) == "MissingAuthenticationToken"


# AWS's examples --------------------------------------------------------------------------------

AT = datetime(2013, 5, 24, tzinfo=UTC)
CHUNKS = (b"a" * 65536, b"a" * 1024, b"")
# Source: S3 API reference, "Signature Calculations for the Authorization Header: Transferring
# Payload in Multiple Chunks (Chunked Upload)", example.
PLAIN = Request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "",
    {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "content-length": "66824",
        "authorization": "AWS4-HMAC-SHA256 "
        f"Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class,"
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    },
)
OF_PLAIN = (
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
)
# Source: the same, "Transferring Payload in Multiple Chunks (Chunked Upload) … including trailing
# headers", example.
TRAILED = Request(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "",
    {
        "host": "s3.amazonaws.com",
        "x-amz-date": "20130524T000000Z",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "x-amz-trailer": "x-amz-checksum-crc32c",
        "authorization": "AWS4-HMAC-SHA256 "
        f"Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"
        "Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    },
)
OF_TRAILED = (
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
)
TRAILER = (
    b"x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:"
    b"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\n\r\n\r\n"
)


def chunked(signatures: tuple[str, ...]) -> bytes:
    return b"".join(
        b"%x;chunk-signature=%s\r\n%s" % (len(chunk), signature.encode(), chunk + b"\r\n")
        if chunk
        else b"0;chunk-signature=%s\r\n" % signature.encode()
        for chunk, signature in zip(CHUNKS, signatures, strict=True)
    )


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        pytest.param(PLAIN, chunked(OF_PLAIN) + b"\r\n", id="chunks"),
        pytest.param(TRAILED, chunked(OF_TRAILED) + TRAILER, id="chunks and a trailer"),
    ],
)
def test_every_chunk_is_signed(request_: Request, body: bytes) -> None:
    signed = read(request_, AT)
    signed.check(SECRET, signed.payload)
    signed.check_body(SECRET, body)
    for tampered in (
        body.replace(b"aaaa", b"evil", 1),
        body.replace(b"sOO8", b"sOO9") if b"sOO8" in body else body + b"more",
        body[:70000] if len(body) > 70000 else body[:66000],
        b"0;chunk-signature=%s\r\n\r\n" % OF_PLAIN[2].encode(),
        b"evil",
        b"",
    ):
        with pytest.raises(NotVerified):
            signed.check_body(SECRET, tampered)
