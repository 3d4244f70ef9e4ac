"""The sample web application: says which version it is and on which instance it runs.

    /         a sentence with both
    /version  the version
    /health   200 when it can do its work, else 500 and the reason

``python3 app.py --self-test`` checks that the release is complete, without serving: what a machine
can know that is not yet part of a fleet.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RELEASE = json.loads((Path(__file__).parent / "release.json").read_text())
INSTANCE = os.environ.get("INSTANCE_ID", "unknown")


def missing() -> list[str]:
    """The settings that this release needs and that the machine does not have."""
    return [name for name in RELEASE["needs"] if name not in os.environ]


def answer(path: str) -> tuple[int, str]:
    """The status and the text for a path."""
    if path == "/":
        return 200, f"{RELEASE['greeting']} from version {RELEASE['version']} on {INSTANCE}\n"
    if path == "/version":
        return 200, f"{RELEASE['version']}\n"
    if path == "/health":
        for name in missing():
            return 500, f"{name} is not set\n"
        return 200, "ok\n"
    return 404, "not found\n"


class Page(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        status, text = answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Keep quiet: the balancer counts the requests."""


class Server(ThreadingHTTPServer):
    """A server that can take a burst of connections."""

    request_queue_size = 128
    daemon_threads = True


def main() -> None:
    """Serve, or test that everything is there."""
    if "--self-test" in sys.argv:
        sys.stdout.write(answer("/")[1])
        return
    place = (os.environ.get("INSTANCE_ADDRESS", "0.0.0.0"), int(os.environ.get("PORT", "8080")))
    Server(place, Page).serve_forever()


if __name__ == "__main__":
    main()
