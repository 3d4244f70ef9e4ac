"""``python -m sandbox up``, ``status`` and ``pack``."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sandbox import releases, status
from sandbox.fleet import BUCKET
from sandbox.keys import of_environment
from sandbox.sandbox import PORT, SPEED, PortTaken, Sandbox, tools


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands and return the exit code."""
    parser = argparse.ArgumentParser(prog="sandbox", description="AWS on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it and keep it until Ctrl-C")
    up.add_argument("--speed", type=float, default=SPEED, help="how much faster than AWS")
    up.add_argument("--port", type=int, default=PORT, help="of the endpoint; 0 for a free one")
    up.add_argument("--no-fleet", action="store_true", help="without the sample fleet")
    seen = commands.add_parser("status", help="show the fleets of a sandbox that runs")
    seen.add_argument("--watch", action="store_true", help="again and again until Ctrl-C")
    seen.add_argument(
        "--endpoint",
        default=os.environ.get("AWS_ENDPOINT_URL", f"http://127.0.0.1:{PORT}"),
        help="of the sandbox; AWS_ENDPOINT_URL when it is set",
    )
    packed = commands.add_parser("pack", help="pack a release of the sample application")
    packed.add_argument("version", choices=(*releases.GOOD, releases.BAD))
    chosen = parser.parse_args(arguments)
    if chosen.command == "status":
        return status.show(chosen.endpoint, of_environment(os.environ), watch=chosen.watch)
    if chosen.command == "pack":
        return pack(chosen.version)
    if chosen.speed < 1:
        parser.error("--speed must be at least 1: the cloud is never slower than AWS")
    return stay_up(chosen.speed, chosen.port, fleet=not chosen.no_fleet)


def pack(version: str) -> int:
    """Write a version of the sample application as its team would upload it."""
    path = Path(f"web-{version}.tar.gz")
    path.write_bytes(releases.build_artifact(version))
    Console(highlight=False).print(f"{path} is ready for: aws s3 cp {path} s3://{BUCKET}/web/")
    return 0


def stay_up(speed: float, port: int, *, fleet: bool) -> int:
    """Keep a sandbox until a signal comes; leave nothing behind."""
    ended = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: ended.set())
    console = Console(highlight=False, soft_wrap=True)
    try:
        with Sandbox(speed=speed, port=port, fleet=fleet) as sandbox:
            console.print(introduction(sandbox), markup=False)
            while not ended.wait(1):
                if not sandbox.is_alive:
                    console.print(f"The sandbox broke:\n{sandbox.log.read_text()}", markup=False)
                    return 1
    except PortTaken as taken:
        console.print(str(taken), style="red")
        return 1
    return 0


def introduction(sandbox: Sandbox) -> str:
    """What to type in another terminal, and where things are."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sandbox.exports.items()]
    lines.append(f"export PATH={shlex.quote(os.pathsep.join(tools()))}:$PATH")
    lines.append("")
    lines.append(f"# The cloud is {sandbox.speed:g} times as fast as AWS. Ctrl-C ends it.")
    lines.append("# It runs what you release with your rights, and only for these credentials.")
    if sandbox.fleet:
        lines.append(f"# Balancer:  curl {sandbox.balancer_url}")
        for public, url in sandbox.addresses.items():
            lines.append(f"# Address:   curl {url}  ({public})")
        lines.append(f"# Releases:  aws s3 cp … s3://{sandbox.fleet.bucket}/web/")
    lines.append("# The fleet: python -m sandbox status --watch")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
