"""The download of an artefact on a builder, and the proof that it is what the release names.

A release tells several things about its content: a version, an ETag, a size, a sum. Each of them
is compared with what was downloaded, so none can be told beside another content: the version and
the ETag by S3 itself (both may stand in one request), the owner of the bucket too (a name that was
given up may be somebody else's today), size and sum on the builder.

Sources: Amazon S3 API reference, GetObject (If-Match, versionId, x-amz-expected-bucket-owner);
Amazon S3 user guide, "Verifying bucket ownership with bucket owner condition".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ovenbird.core.quotes import quoted
from ovenbird.core.shell import quote

# The AWS CLI reads a value like this from a file or from the network, and this command has no other
# way to say it (no --cli-input-json: its answer is a file). Source: AWS CLI user guide, "Loading a
# parameter from a file"; command reference, s3api get-object.
_READ_BY_THE_CLI = re.compile(r"(file|fileb|https?)://", re.IGNORECASE)

_SUM = """\
if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$2")
elif command -v openssl >/dev/null; then sum=$(openssl dgst -sha256 -r <"$2")
else sum=$(shasum -a 256 <"$2")
fi
sum=${sum%% *}"""


@dataclass(frozen=True)
class Artifact:
    """An object in S3, as a release names it.

    Args:
        version_id: The version, where the bucket keeps versions.
        etag: The ETag that the object must have.
        owner: The account whose bucket it must be; ``None`` means the builder's own.
        sha256: The SHA-256 sum that its bytes must have, 64 hexadecimal digits.
        size: How many bytes it must have.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    owner: str | None = None
    sha256: str | None = None
    size: int | None = None


def refusal(artifact: Artifact) -> str | None:
    """Why the artefact cannot be downloaded, as the end of a sentence that begins "the download".

    Whoever may write a key or a version would else have a file of the builder sent to S3, or a
    request sent where he likes.
    """
    told = {
        "bucket": artifact.bucket,
        "key": artifact.key,
        "version_id": artifact.version_id,
        "etag": artifact.etag,
    }
    for field, value in told.items():
        if value is not None and _READ_BY_THE_CLI.match(value):
            return (
                f"was refused: the release's {field} is {quoted(value)}, which the AWS CLI would"
                " take for the name of a file or for an address; it must begin with something else"
            )
    return None


def text(artifact: Artifact) -> str:
    """The download as shell; it finds where its last words go in ``$1``, the file in ``$2``."""
    refused = refusal(artifact)
    if refused is not None:
        return f"{_say(refused)}\nexit 1"
    lines = [
        "code=0",
        f'told=$({_command(artifact)} "$2" 2>&1) || code=$?',
        "printf '%s\\n' \"$told\"",
        "case $code:$told in",
        "0:*) ;;",
        *(f"{seen}) {_say(meaning)}; exit $code ;;" for seen, meaning in _meanings(artifact)),
        "*) exit $code ;;",
        "esac",
    ]
    if artifact.size is not None:
        lines += ['size=$(($(wc -c <"$2")))', *_compared("size", str(artifact.size), "size")]
    if artifact.sha256 is not None:
        lines += [*_SUM.splitlines(), *_compared("sum", artifact.sha256.lower(), "SHA-256 sum")]
    return "\n".join(lines)


def _command(artifact: Artifact) -> str:
    """The command without the file. A value after ``=`` is none that could be an option."""
    options = {
        "--bucket": artifact.bucket,
        "--key": artifact.key,
        "--version-id": artifact.version_id,
        "--if-match": artifact.etag,
    }
    words = ["aws", "s3api", "get-object"]
    for option, value in options.items():
        if value is not None and value.startswith("-"):
            words.append(f"{option}={quote(value)}")
        elif value is not None:
            words += [option, quote(value)]
    own = '"$(aws sts get-caller-identity --query Account --output text)"'
    words += ["--expected-bucket-owner", quote(artifact.owner) if artifact.owner else own]
    return " ".join(words)


def _meanings(artifact: Artifact) -> list[tuple[str, str]]:
    """What S3 and the AWS CLI say, and what it means here."""
    place = f"{quoted(artifact.key)} in the bucket {quoted(artifact.bucket)}"
    owner = f"account {artifact.owner}" if artifact.owner else "the builder's account"
    return [
        (
            "*PreconditionFailed*",
            f"found another content: {place} does not have the ETag {quoted(artifact.etag)} that"
            " the release names",
        ),
        ("*NoSuchVersion*", f"found no version {quoted(artifact.version_id)} of {place}"),
        ("*NoSuchKey*", f"found no {place}"),
        ("*NoSuchBucket*", f"found no bucket {quoted(artifact.bucket)}"),
        (
            "*AccessDenied*",
            f"was refused: the builder's role may not read {place}, or {owner} does not own the"
            " bucket",
        ),
        (
            '*"Unknown options"*',
            "needs a newer AWS CLI on the image: this one does not know --expected-bucket-owner,"
            " which is of September 2020",
        ),
        ("127:*", "found no AWS CLI on the image"),
    ]


def _say(words: str) -> str:
    return f"printf '%s\\n' {quote(words)} >\"$1\""


def _compared(variable: str, wanted: str, what: str) -> list[str]:
    return [
        f'if [ "${variable}" != {quote(wanted)} ]; then',
        f"printf 'found another content: its {what} is %s, and the release says %s\\n'"
        f' "${variable}" {quote(wanted)} >"$1"',
        "exit 1",
        "fi",
    ]
