"""The end of a builder's first boot, waited for before anything is installed.

That its agent answers does not mean that a machine has booted: cloud-init still writes files, adds
users, installs packages and holds their lock. ``cloud-init status --wait`` ends with 0, with 2
after recoverable errors (since 23.4, canonical/cloud-init#4500: what was asked for is done), with 1
where something failed. It may also never end (canonical/cloud-init#3960, #4505), so it has a limit.

Right afterwards Debian's and Ubuntu's timers may begin to upgrade packages, which takes the lock
for minutes (mvo5/unattended-upgrades#90); a machine that is stopped meanwhile would be imaged half
upgraded. So these timers are stopped on the builder (the image starts them again) and what runs
already is waited for, in the same time. yum and dnf wait for each other by themselves.
"""

from __future__ import annotations

LOG = "/var/log/cloud-init.log"
_TIMERS = ("apt-daily", "apt-daily-upgrade", "dnf-automatic", "dnf-automatic-install")

_WAIT = """\
if command -v cloud-init >/dev/null; then
  code=0
  cloud-init status --wait || code=$?
  case $code in
  0) ;;
  2) echo "cloud-init has ended with recoverable errors" ;;
  *)
    cloud-init status --long || :
    echo "ended with an error of cloud-init (exit code $code); see {log}" >"$1"
    exit 1
    ;;
  esac
fi
if [ "$2" = ec2 ] && command -v systemctl >/dev/null; then
  systemctl stop {timers} 2>/dev/null || :
  for unit in {services}; do
    told=
    while :; do
      case $(systemctl is-active "$unit" 2>/dev/null) in
      activating | deactivating) ;;
      *) break ;;
      esac
      [ -n "$told" ] || echo "waits for $unit"
      told=yes
      sleep 2
    done
  done
fi"""


def text() -> str:
    """The wait as shell; ``$1`` is where its last words go, ``$2`` is ``ec2`` on an instance."""
    return _WAIT.format(
        log=LOG,
        timers=" ".join(f"{name}.timer" for name in _TIMERS),
        services=" ".join(f"{name}.service" for name in _TIMERS),
    )


def too_late(seconds: int) -> str:
    """What is said where it has not ended in its time."""
    minutes = round(seconds / 60)
    return f"did not end within {minutes} minute{'' if minutes == 1 else 's'}; see {LOG}"
