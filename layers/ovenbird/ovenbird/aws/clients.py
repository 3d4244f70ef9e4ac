"""The boto3 clients of this process: one session, one client for each service.

A function names its clients at module level (:func:`warm`), because Lambda gives the init phase
full CPU and the handler only its share. A second client of one session costs a few milliseconds, a
second session costs as much as the first.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=3,
    read_timeout=20,
    user_agent_extra="ovenbird",
)

# For calls that have no client token and do their work twice when they are repeated: after a lost
# answer the caller must look first. CONFIG would repeat them by itself.
ONCE = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

# Any: a client is asked for by a name that only the caller knows.
session: Any = boto3.session.Session()
_clients: dict[tuple[str, bool], Any] = {}


def warm(*names: str) -> None:
    """Build the clients of these services (botocore's service names) now."""
    for name in names:
        get(name)


def get(name: str, *, once: bool = False) -> Any:
    """The client of a service; always the same one until :func:`reset`.

    Args:
        once: A client that never repeats a call by itself.
    """
    if (name, once) not in _clients:
        _clients[name, once] = session.client(name, config=ONCE if once else CONFIG)
    return _clients[name, once]


def reset() -> None:
    """Forget the clients and begin a new session (a test puts another cloud behind it)."""
    global session
    _clients.clear()
    session = boto3.session.Session()
