"""The shell script that a builder runs: download, install, verify.

POSIX ``sh`` only, because the image is the team's. Each phase is a shell of its own, so an
``exit``, a syntax error or a changed directory in one cannot leak into the next. A phase's output
goes through a file: Run Command returns only the *beginning* of what a script writes (24,000
characters of standard output, 8,000 of standard error), but the end is where the error is. Standard
error carries nothing but the end of a failed phase and then which phase it was. There
is no EXIT trap: bash may run it in a background subshell that is killed young, and the directory
would be gone too early.

Source: Systems Manager API reference, GetCommandInvocation, StandardErrorContent.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PLAIN_NAME = r"[A-Za-z0-9_+@=,~-][A-Za-z0-9._+@=,~-]{0,199}"
_LAST_WORDS = re.compile(
    r"^ovenbird: (\w+) (failed with exit code \d+|did not end in time)", re.MULTILINE
)

_PRELUDE = """\
set -eu
ovenbird_dir=$(mktemp -d)
finish() {
  rm -rf "$ovenbird_dir"
  exit "$1"
}
phase() {
  echo "ovenbird: $1 begins"
  code=0
  sh -eu -c "$2" "$1" >"$ovenbird_dir/log" 2>&1 &
  worker=$!
  left=$((deadline - $(date +%s)))
  [ "$left" -ge 0 ] || left=0
  (
    trap 'kill $!; exit' TERM
    sleep "$left" &
    wait $! && : >"$ovenbird_dir/late" && kill "$worker"
  ) >/dev/null 2>&1 &
  watch=$!
  wait "$worker" 2>/dev/null || code=$?
  kill "$watch" 2>/dev/null || :
  wait "$watch" 2>/dev/null || :
  cat "$ovenbird_dir/log"
  if [ "$code" -ne 0 ] && [ -e "$ovenbird_dir/late" ]; then
    tail -c 2000 "$ovenbird_dir/log" >&2
    printf '\\novenbird: %s did not end in time\\n' "$1" >&2
    finish 124
  fi
  if [ "$code" -ne 0 ]; then
    tail -c 2000 "$ovenbird_dir/log" >&2
    printf '\\novenbird: %s failed with exit code %s\\n' "$1" "$code" >&2
    finish "$code"
  fi
}"""


@dataclass(frozen=True)
class Artifact:
    """An object in S3: one version of it where the bucket keeps versions, else one content."""

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None


def lines(
    artifact: Artifact | None,
    *,
    revision: str,
    fleet: str,
    environment: Mapping[str, str],
    install: Sequence[str],
    verify: Sequence[str],
    timeout_seconds: int,
) -> tuple[str, ...]:
    """The whole script, a line each.

    ``install`` and ``verify`` are the owner's shell and stand as they are; everything else is
    quoted, whatever it contains. They find ``OVENBIRD_ARTIFACT`` (the downloaded file under its own
    name, empty for a release without one), ``OVENBIRD_REVISION`` and ``OVENBIRD_FLEET``.

    Args:
        environment: More variables; names are shell names.
        timeout_seconds: For all phases together; a phase that is still running then is ended, and
            its last words are reported.
    """
    name = artifact.key.rsplit("/", 1)[-1] if artifact else ""
    if not re.fullmatch(_PLAIN_NAME, name):
        name = "artifact"
    path = f'"$ovenbird_dir"/{quote(name)}' if artifact else "''"
    written = [
        *_PRELUDE.splitlines(),
        f"deadline=$(($(date +%s) + {timeout_seconds}))",
        *(f"export {variable}={quote(value)}" for variable, value in sorted(environment.items())),
        f"export OVENBIRD_FLEET={quote(fleet)}",
        f"export OVENBIRD_REVISION={quote(revision)}",
        f"export OVENBIRD_ARTIFACT={path}",
    ]
    if artifact:
        written += f"phase download {quote(_download(artifact))}".splitlines()
    if install:
        written += f"phase install {shlex.quote(chr(10).join(install))}".splitlines()
    if verify:
        written += f"phase verify {shlex.quote(chr(10).join(verify))}".splitlines()
    return (*written, "finish 0")


def _download(artifact: Artifact) -> str:
    words = ["aws", "s3api", "get-object", "--bucket", artifact.bucket, "--key", artifact.key]
    if artifact.version_id:
        words += ["--version-id", artifact.version_id]
    elif artifact.etag:
        words += ["--if-match", artifact.etag]
    return " ".join(map(quote, words)) + ' "$OVENBIRD_ARTIFACT"'


def quote(value: str) -> str:
    """A value as one shell word.

    ``{{`` is also taken apart, because Run Command replaces ``{{ssm:name}}`` inside parameters by
    a Parameter Store value before any shell sees it. Source: Systems Manager user guide, "Working
    with Parameter Store parameters in Run Command commands".
    """
    return re.sub(r"\{(?=\{)", "{''", shlex.quote(value))


def last_words(stderr: str) -> str | None:
    """Which phase failed and how, if the script came to say so.

    Run Command's agent adds a line of its own ("failed to run commands: exit status 3").
    """
    said = _last(stderr)
    return f"{said[1]} {said[2]}" if said else None


def _last(stderr: str) -> re.Match[str] | None:
    found = list(_LAST_WORDS.finditer(stderr))
    return found[-1] if found else None


def phase_begun(stdout: str) -> str | None:
    """The phase that began last, as far as the beginning of the output tells."""
    begun = re.findall(r"^ovenbird: (\w+) begins$", stdout, re.MULTILINE)
    return begun[-1] if begun else None


def tail(stdout: str, stderr: str, *, characters: int = 1000) -> str:
    """The last lines of a script's output, about as many characters as asked for.

    Standard output only where there is no standard error before the line of :func:`last_words`.
    """
    said = _last(stderr)
    text = stderr[: said.start() if said else None].rstrip() or stdout.rstrip()
    if len(text) <= characters:
        return text.lstrip("\n")
    cut = text[-characters:]
    _, newline, whole_lines = cut.partition("\n")
    return "…\n" + (whole_lines if newline and whole_lines else cut)
