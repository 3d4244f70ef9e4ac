"""The identity of a release's content: what was hashed, or the push itself where nothing was.

A branch, a tag, a key or a version's name is a label: what lies behind it may be other content
tomorrow. So a release that has only a label counts as new content each time that it is pushed.
"""

from __future__ import annotations

import re

_HASHES = {
    "etag": "ETag",
    "sha256": "SHA-256",
    "commit": "commit",
    "version": "object version",
}
_LONGEST = 80


def of_etag(value: str) -> str:
    """Of an S3 object; also of one that was uploaded in parts."""
    return f"etag:{value}"


def of_sha256(value: str) -> str:
    """Of an artefact, or the digest of a container image; with or without ``sha256:``."""
    return f"sha256:{value.removeprefix('sha256:')}"


def of_commit(value: str) -> str:
    """Of a repository."""
    return f"commit:{value}"


def of_version(bucket: str, key: str, value: str) -> str:
    """Of an S3 object; what a version holds never changes."""
    return f"version:{bucket}/{key}@{value}"


def of_push(identity: str) -> str:
    """Nothing was hashed: as new as the push."""
    return f"push:{identity}"


def of_object(
    identity: str, bucket: str, key: str, *, version: str | None, etag: str | None
) -> str:
    """Of an S3 object, as far as it is known.

    Args:
        identity: Of the push or request.
    """
    if etag:
        return of_etag(etag)
    return of_version(bucket, key, version) if version else of_push(identity)


def of_revision(identity: str, revision: str) -> str:
    """What a revision says, if it is a whole hash; a shorter one is a label like any other."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision):
        return of_commit(revision)
    if re.fullmatch(r"sha256:[0-9a-f]{64}", revision):
        return of_sha256(revision)
    return of_push(identity)


def of_request(
    identity: str,
    revision: str,
    bucket: str | None,
    key: str | None,
    *,
    version: str | None,
    etag: str | None,
    sha256: str | None,
) -> str:
    """Of what a request brings: its object, or its revision where it brings none.

    A version with an ETag is two claims of whoever asks. The download compares them; an image of
    the one may not be reused for the other, for nothing is downloaded then.
    """
    if bucket is None or key is None:
        return of_revision(identity, revision)
    if sha256:
        return of_sha256(sha256)
    if version and etag:
        return f"{of_etag(etag)} of version {version} of {bucket}/{key}"
    return of_object(identity, bucket, key, version=version, etag=etag)


def said(digest: str) -> str:
    """The content for a sentence: ``the same content (ETag 6d7c…)``, or ``the same push``."""
    kind, _, value = digest.partition(":")
    if kind not in _HASHES:
        return "the same push"
    short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    return f"the same content ({_HASHES[kind]} {short})"
