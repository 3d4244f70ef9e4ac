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

# Any: a client is asked for by a name that only the caller knows.
session: Any = boto3.session.Session()
_clients: dict[str, Any] = {}


def warm(*names: str) -> None:
    """Build the clients of these services (botocore's service names) now."""
    for name in names:
        get(name)


def get(name: str) -> Any:
    """The client of a service; always the same one until :func:`reset`."""
    if name not in _clients:
        _clients[name] = session.client(name, config=CONFIG)
    return _clients[name]


def reset() -> None:
    """Forget the clients and begin a new session (a test puts another cloud behind it)."""
    global session
    _clients.clear()
    session = boto3.session.Session()
