"""Where the sandbox's things listen: on loopback addresses of their own, or on ports of one.

Linux answers on all of 127.0.0.0/8, so an instance, a balancer and an Elastic IP each get an
address and keep AWS's ports. Where there is only 127.0.0.1 (macOS) they differ by port instead.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

ONE, MANY = "one", "many"
SETTING = "OVENBIRD_SANDBOX_LOOPBACK"  # "one" or "many"; what the system can do when unset


class NoPlace(Exception):
    """No loopback address or port is free."""


@dataclass(frozen=True)
class Place:
    """A host and port that something can listen on."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Loopback:
    """Hands out places to listen on; a place is never handed out twice.

    Two sandboxes on one machine keep apart by ``network``, 0 to 199: the second number of their
    addresses.
    """

    def __init__(self, network: int = 0, kind: str | None = None) -> None:
        chosen = kind or os.environ.get(SETTING) or (MANY if _answers_on("127.16.0.1") else ONE)
        if chosen not in (ONE, MANY):
            raise ValueError(f"{SETTING} is {chosen!r}; it must be {ONE!r} or {MANY!r}.")
        self.many = chosen == MANY
        self._hosts = _hosts(network)
        self._given: set[Place] = set()

    def place(self, port: int) -> Place:
        """A place on an address of its own with that port, or on a port of its own.

        Raises:
            NoPlace: Every address that was tried is taken (another program holds the port).
        """
        for _ in range(64):
            place = (
                Place(next(self._hosts), port)
                if self.many
                else Place("127.0.0.1", _free_port("127.0.0.1"))
            )
            if place not in self._given and _is_free(place):
                self._given.add(place)
                return place
        raise NoPlace(f"No loopback address has port {port} free; stop what listens there.")


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """The preferred port if nobody listens there, else (or for 0) one that the system picks."""
    return preferred if preferred and _is_free(Place(host, preferred)) else _free_port(host)


def _hosts(network: int) -> Iterator[str]:
    for number in count(10):
        yield f"127.{16 + network % 200}.{number // 250}.{number % 250 + 1}"


def _answers_on(host: str) -> bool:
    return _is_free(Place(host, 0))


def _is_free(place: Place) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except OSError:
            return False
    return True


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
