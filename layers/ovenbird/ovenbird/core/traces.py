"""What the life of a builder leaves on its disk, and how it is removed before the image is made.

Two instances with one identity are a fault that shows late: the same machine id, the same host
keys, one registration for all. So the last phase of a bake removes what only one machine can have,
and what tells about the builder. It is a table, with the reason of each line.

The clean-up works below the directory that the script was started in. On an instance that is ``/``;
in the sandbox, where scripts really run, it is the machine's own directory. It does nothing where
no SSM agent runs the script, removes nothing whose directory lies elsewhere (behind a link), and
touches ``/`` only if the firmware says that this is an EC2 instance.

Some of it is still in use then. The agent reads what the script has written out of the directory
that holds the script (agent/executers/executers.go of aws/amazon-ssm-agent), so that may go only
when the agent has ended: a unit of systemd in ``/run``, which is no part of the image, is stopped
after the agent when the machine stops, and removes the rest. Whoever has no systemd keeps it.

Sources: EC2 Image Builder user guide, "Required post-build clean up"; systemd.io, "Building Images
Safely"; cloud-init, ``cloud-init clean``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovenbird.core.shell import quote

SECONDS = 300  # for the whole clean-up
_ENDS_FIRST = (
    "amazon-ssm-agent.service",
    "snap.amazon-ssm-agent.amazon-ssm-agent.service",
    "ecs.service",
    "rsyslog.service",
)


@dataclass(frozen=True)
class Trace:
    """Something that a builder leaves.

    Args:
        name: What it is.
        paths: Where it is; ``*`` as in a shell.
        why: Why it may not be in an image.
        how: Removed; emptied, where the file itself has to stay; or ``key``: only the lines with a
            key that EC2 gave the builder are taken out of it.
        late: Removed when the machine stops, because it is in use until then.
        made_anew: One of these paths must exist, or nothing would make it again.
    """

    name: str
    paths: tuple[str, ...]
    why: str
    how: Literal["remove", "empty", "key"] = "remove"
    late: bool = False
    made_anew: tuple[str, ...] = ()


TRACES = (
    Trace(
        "machine id",
        ("/etc/machine-id",),
        "Instances with one id get one DHCP lease, one journal, one identity in many agents. Empty,"
        " not missing: systemd would take a missing one for a machine that was never set up"
        " (systemd/systemd#10253).",
        how="empty",
    ),
    Trace("D-Bus' copy of the machine id", ("/var/lib/dbus/machine-id",), "As the machine id."),
    Trace(
        "SSH host keys",
        ("/etc/ssh/ssh_host_*",),
        "Whoever has one instance could pass for every other.",
        made_anew=(
            "/usr/bin/cloud-init",
            "/usr/local/bin/cloud-init",
            "/usr/lib/systemd/system/sshd-keygen*",
            "/lib/systemd/system/sshd-keygen*",
        ),
    ),
    Trace(
        "cloud-init's state",
        (
            "/var/lib/cloud/instance",
            "/var/lib/cloud/instances/*",
            "/var/lib/cloud/data/*",
            "/var/lib/cloud/sem/*",
        ),
        "The builder's user data and metadata; and the first boot of each instance must be one for"
        " cloud-init too. Scripts and seeds below /var/lib/cloud are the image's own and stay.",
    ),
    Trace(
        "the key pair's public key",
        ("/root/.ssh/authorized_keys", "/home/*/.ssh/authorized_keys"),
        "Whoever has the builder's key could enter every instance for ever. Only the lines of the"
        " key that EC2 gave the builder are taken out; others are the image's own.",
        how="key",
    ),
    Trace(
        "histories",
        ("/root/.*history", "/home/*/.*history", "/root/.lesshst", "/home/*/.lesshst"),
        "Commands that somebody typed, perhaps with secrets.",
    ),
    Trace(
        "the AWS CLI's cache",
        ("/root/.aws/cli/cache", "/home/*/.aws/cli/cache"),
        "Credentials of the builder's role.",
    ),
    Trace(
        "DHCP leases",
        (
            "/var/lib/dhclient/*.lease*",
            "/var/lib/dhcp/*.lease*",
            "/var/lib/dhcpcd/*.lease*",
            "/var/lib/NetworkManager/*.lease*",
        ),
        "An instance would ask for the builder's address first.",
    ),
    Trace(
        "names of network interfaces",
        ("/etc/udev/rules.d/70-persistent-net.rules",),
        "They belong to the builder's interfaces.",
    ),
    Trace(
        "the SSM agent's registration and files",
        (
            "/var/lib/amazon/ssm/i-*",
            "/var/lib/amazon/ssm/mi-*",
            "/var/lib/amazon/ssm/Vault",
            "/var/lib/amazon/ssm/registration",
            "/var/lib/amazon/ssm/runtimeconfig",
            "/var/lib/amazon/ssm/ipc",
        ),
        "Among them this script with its variables, and its output.",
        late=True,
    ),
    Trace(
        "the ECS agent's state",
        ("/var/lib/ecs/data/*",),
        "Instances that start from it fail to register, or register as the builder"
        " (aws/amazon-ecs-agent#858, #2738).",
        late=True,
    ),
    Trace(
        "the journal",
        ("/var/log/journal/*", "/var/log/amazon/ssm/*"),
        "The builder's life in full, the agent's part of it too.",
        late=True,
    ),
    Trace(
        "logs",
        (
            "/var/log/cloud-init*.log",
            "/var/log/messages",
            "/var/log/syslog",
            "/var/log/secure",
            "/var/log/auth.log",
            "/var/log/kern.log",
            "/var/log/dmesg",
            "/var/log/boot.log",
            "/var/log/cron",
            "/var/log/maillog",
            "/var/log/mail.log",
            "/var/log/audit/audit.log",
            "/var/log/wtmp",
            "/var/log/btmp",
            "/var/log/lastlog",
        ),
        "The same, as files. Empty, not missing: who may write them stays as it is.",
        how="empty",
        late=True,
    ),
)

_FUNCTIONS = """\
each() {
  IFS=
  for path in $root$2; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    there=$(cd -P -- "${path%/*}/" 2>/dev/null && pwd -P) || continue
    case $there/ in "$root"/*) "$1" "$path" || left="$left $path" ;; esac
  done
  unset IFS
}
remove() { each gone "$1"; }
empty() { each hollow "$1"; }
gone() { rm -rf -- "$1"; }
hollow() { [ -L "$1" ] || [ ! -f "$1" ] || : >"$1"; }
left="""

_KEYS = """\
keys=$(grep -Eo "AAAA[A-Za-z0-9+/]{40,}" "$root/run/cloud-init/instance-data.json" 2>/dev/null) || :
key() { each strange "$1"; }
strange() { [ -f "$1" ] && [ ! -L "$1" ] || return 0
  kept=$(grep -vF -e "$keys" -- "$1") || [ $? -eq 1 ] || return 1
  printf "%s\\n" "$kept" >"$1"
}"""

_UNIT = """\
[Unit]
Description=Ovenbird removes what the builder has left
Before={before}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c :
ExecStop=/bin/sh /run/ovenbird-clean"""

_CLEAN = """\
root=$2
if [ -z "${{AWS_SSM_INSTANCE_ID:-}}" ]; then
  echo "no SSM agent runs this: nothing is removed"
  exit 0
fi
if [ -z "$root" ] && [ "$3" != ec2 ]; then
  echo "found no sign of an EC2 instance, so nothing was removed; bake.clean leaves it out" >"$1"
  exit 1
fi
{functions}
{keys}
{now}
if [ -n "$root" ]; then
{late}
elif [ -d /run/systemd/system ]; then
  printf "%s\\n" {script} >/run/ovenbird-clean
  printf "%s\\n" {unit} >/run/systemd/system/ovenbird-clean.service
  systemctl daemon-reload
  systemctl start ovenbird-clean.service
else
  echo "no systemd: what is still in use stays in the image"
fi
if [ -n "$left" ]; then
  echo "could not remove$left" >"$1"
  exit 1
fi"""


def text() -> str:
    """The clean-up as shell.

    It finds where its last words go in ``$1``, the directory below which it works in ``$2`` (empty
    for ``/``) and ``ec2`` in ``$3`` on an instance.
    """
    return _CLEAN.format(
        functions=_FUNCTIONS,
        keys=_KEYS,
        now="\n".join(_removals(late=False)),
        late="\n".join(_removals(late=True)),
        script=quote(late_script()),
        unit=quote(_UNIT.format(before=" ".join(_ENDS_FIRST))),
    )


def late_script() -> str:
    """What removes the rest from an instance that stops."""
    return "\n".join(["root=", _FUNCTIONS, *_removals(late=True)])


def _removals(*, late: bool) -> list[str]:
    return [line for trace in TRACES if trace.late == late for line in _removal(trace)]


def _removal(trace: Trace) -> list[str]:
    lines = [f'{trace.how} "{path}"' for path in trace.paths]
    if trace.how == "key":
        return ['if [ -n "$keys" ]; then', *lines, "fi"]
    if not trace.made_anew:
        return lines
    makers = " ".join(f'"$root"{path}' for path in trace.made_anew)
    return [
        "made=",
        f"for maker in {makers}; do",
        'if [ -e "$maker" ]; then made=yes; fi',
        "done",
        'if [ -n "$made" ]; then',
        *lines,
        "else",
        f'echo "keeps the {trace.name}: nothing here would make them again"',
        "fi",
    ]
