"""The shell script that a builder runs: boot, download, install, verify, clean.

POSIX ``sh`` only, because the image is the team's. Each phase is a shell of its own, so an
``exit``, a syntax error or a changed directory in one cannot leak into the next; the owner's
variables exist only in his two phases, so that none of them can lead ours. A phase's output goes
through a file: Run Command returns only the *beginning* of what a script writes (24,000 characters
of standard output, 8,000 of standard error), but the end is where the error is. Standard error
carries nothing but the end of a failed phase and then which phase it was, and how it failed. There
is no EXIT trap: bash may run it in a background subshell that is killed young, and the directory
would be gone too early.

Two exit codes never leave the script, because the SSM agent takes them for a wish: 194 asks it to
reboot the machine and to run the script again, and 137 it takes for its own kill at the time limit.
And since an agent that comes back after a restart may run the script again, a mark on the disk says
that it has begun.

Sources: Systems Manager API reference, GetCommandInvocation, StandardErrorContent; user guide,
"Handling reboots when running commands"; pluginutil.GetStatus in aws/amazon-ssm-agent.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from ovenbird.core import boots, downloads, traces
from ovenbird.core.downloads import Artifact
from ovenbird.core.shell import quote

__all__ = ["Artifact", "last_words", "lines", "phase_begun", "quote", "seconds", "tail"]

BOOT_SECONDS = 900
_PLAIN_NAME = r"[A-Za-z0-9_+@][A-Za-z0-9._+@=,~-]{0,199}"
_LAST_WORDS = re.compile(r"^ovenbird: (boot|download|install|verify|clean) (.+)$", re.MULTILINE)

_PRELUDE = """\
set -eu
PATH=${PATH-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
export PATH
root=$(pwd -P)
root=${root%/}
machine=
if [ -z "$root" ]; then
  for firmware in /sys/devices/virtual/dmi/id/sys_vendor /sys/devices/virtual/dmi/id/bios_version \
/sys/devices/virtual/dmi/id/product_uuid /sys/hypervisor/uuid; do
    case $(cat "$firmware" 2>/dev/null) in
    "Amazon EC2"* | *amazon* | [Ee][Cc]2*) machine=ec2 ;;
    esac
  done
fi
mark=
if [ -n "${AWS_SSM_INSTANCE_ID:-}" ]; then
  mark=$root/var/lib/ovenbird
  boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) || boot=
  if [ -e "$mark/phase" ]; then
    said="was cut off or runs still: the script was begun a second time"
    [ "$(cat "$mark/boot")" = "$boot" ] ||
      said="was cut off: the machine was restarted meanwhile, and a bake does not reboot"
    printf '\\novenbird: %s %s\\n' "$(cat "$mark/phase")" "$said" >&2
    exit 1
  fi
  mkdir -p "$mark" 2>/dev/null && printf '%s\\n' "$boot" >"$mark/boot" || mark=
fi
dir=$(mktemp -d)
mkdir "$dir/artifact"
finish() {
  rm -rf "$dir"
  [ -z "$mark" ] || rm -rf "$mark"
  case $1 in
  137 | 194) exit 1 ;;
  esac
  exit "$1"
}
remaining() {
  left=$((deadline - $(date +%s)))
  [ "$left" -ge 0 ] || left=0
}
phase() {
  phase=$1
  text=$2
  shift 2
  echo "ovenbird: $phase begins"
  [ -z "$mark" ] || echo "$phase" >"$mark/phase"
  : >"$dir/words"
  code=0
  sh -eu -c "$text" "$phase" "$@" >"$dir/log" 2>&1 &
  worker=$!
  (
    trap 'kill $!; exit' TERM
    sleep "$left" &
    wait $! && : >"$dir/late" && kill "$worker"
  ) >/dev/null 2>&1 &
  watch=$!
  wait "$worker" 2>/dev/null || code=$?
  kill "$watch" 2>/dev/null || :
  wait "$watch" 2>/dev/null || :
  cat "$dir/log"
  [ "$code" -ne 0 ] || return 0
  said="failed with exit code $code"
  case $code in
  137) said="$said: it was killed, perhaps for want of memory" ;;
  194) said="ended with 194, which asks the agent for a reboot; a bake does not reboot" ;;
  esac
  [ ! -s "$dir/words" ] || said=$(cat "$dir/words")
  if [ -e "$dir/late" ]; then
    code=124
    said=$late
  fi
  tail -c 2000 "$dir/log" >&2
  printf '\\novenbird: %s %s\\n' "$phase" "$said" >&2
  finish "$code"
}"""


def lines(
    artifact: Artifact | None,
    *,
    revision: str,
    fleet: str,
    environment: Mapping[str, str],
    install: Sequence[str],
    verify: Sequence[str],
    timeout_seconds: int,
    boot_seconds: int = BOOT_SECONDS,
    clean: bool = True,
) -> tuple[str, ...]:
    """The whole script, a line each.

    ``install`` and ``verify`` are the owner's shell and stand as they are; everything else is
    quoted, whatever it contains. They find ``OVENBIRD_ARTIFACT`` (the downloaded file under its own
    name, empty for a release without one), ``OVENBIRD_REVISION`` and ``OVENBIRD_FLEET``.

    Args:
        environment: More variables for ``install`` and ``verify``; names are shell names.
        timeout_seconds: For download, install and verify together; a phase that is still running
            then is ended, and its last words are reported.
        boot_seconds: How long the first boot may still take; 0 does not wait for its end.
        clean: Whether what the builder's life has left is removed at the end.
    """
    name = artifact.key.rsplit("/", 1)[-1] if artifact else ""
    if not re.fullmatch(_PLAIN_NAME, name):
        name = "artifact"
    path = f'"$dir"/artifact/{quote(name)}' if artifact else "''"
    written = [
        *_PRELUDE.splitlines(),
        f"export OVENBIRD_FLEET={quote(fleet)}",
        f"export OVENBIRD_REVISION={quote(revision)}",
        f"export OVENBIRD_ARTIFACT={path}",
    ]
    if boot_seconds:
        written += [f"left={boot_seconds}", f"late={quote(boots.too_late(boot_seconds))}"]
        written += _phase("boot", boots.text(), '"$dir/words" "$machine"')
    written += ["late='did not end in time'", f"deadline=$(($(date +%s) + {timeout_seconds}))"]
    if artifact:
        place = '"$dir/words" "$OVENBIRD_ARTIFACT"'
        written += ["remaining", *_phase("download", downloads.text(artifact), place)]
    for phase, owners in (("install", install), ("verify", verify)):
        if owners:
            ours = '"$OVENBIRD_FLEET" "$OVENBIRD_REVISION" "$OVENBIRD_ARTIFACT"'
            written += ["remaining", *_phase(phase, _owners(owners, environment), ours)]
    if clean:
        written += [f"left={traces.SECONDS}"]
        written += _phase("clean", traces.text(), '"$dir/words" "$root" "$machine"')
    return (*written, "finish 0")


def seconds(*, timeout_seconds: int, boot_seconds: int) -> int:
    """How long the whole script may take, until it has ended itself."""
    return boot_seconds + timeout_seconds + traces.SECONDS


def _phase(name: str, text: str, arguments: str) -> list[str]:
    return f"phase {name} {shlex.quote(text)} {arguments}".split("\n")


def _owners(text: Sequence[str], environment: Mapping[str, str]) -> str:
    """The owner's lines with his variables; ours come last, so that none of his can be in place."""
    return "\n".join(
        [
            *(f"export {name}={quote(value)}" for name, value in sorted(environment.items())),
            'export OVENBIRD_FLEET="$1" OVENBIRD_REVISION="$2" OVENBIRD_ARTIFACT="$3"; shift 3',
            *text,
        ]
    )


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
