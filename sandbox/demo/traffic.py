"""The client that never stops asking: every request that gets no 200 is counted as lost."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Tally:
    """What one target answered so far."""

    answered: int
    lost: int


@dataclass
class Asker:
    """Asks one URL over and over, a new connection each time, as separate visitors would."""

    name: str
    url: str
    per_second: float
    answered: int = 0
    lost: int = 0
    by_version: Counter[str] = field(default_factory=Counter)
    losses: list[tuple[float, str]] = field(default_factory=list)  # (monotonic time, what happened)

    def ask(self) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=PATIENCE_SECONDS
        )
        try:
            connection.request("GET", parts.path or "/")
            response = connection.getresponse()
            body = response.read()
            outcome = "" if response.status == 200 else f"HTTP {response.status}"
        except (OSError, http.client.HTTPException) as error:
            outcome, body = f"{type(error).__name__}: {error}", b""
        finally:
            connection.close()
        if outcome:
            self.lost += 1
            self.losses.append((time.monotonic(), outcome))
        else:
            self.answered += 1
            self.by_version[body.decode("utf-8", "replace").strip()] += 1


class Traffic:
    """Visitors for the balancer and for every address, each in a thread of its own."""

    def __init__(self, balancer_url: str, address_urls: dict[str, str]) -> None:
        self.balancer = Asker("balancer", balancer_url, per_second=20)
        self.addresses = [Asker(name, url, per_second=8) for name, url in address_urls.items()]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for asker in (self.balancer, *self.addresses):
            thread = threading.Thread(target=self._keep_asking, args=(asker,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=PATIENCE_SECONDS + 1)

    def tallies(self) -> tuple[Tally, Tally]:
        """The balancer's tally and that of all addresses together."""
        return (
            Tally(self.balancer.answered, self.balancer.lost),
            Tally(
                sum(asker.answered for asker in self.addresses),
                sum(asker.lost for asker in self.addresses),
            ),
        )

    def losses(self) -> list[tuple[float, str, str]]:
        """Every lost request: when (monotonic), at which target, what happened."""
        return sorted(
            (at, asker.name, what)
            for asker in (self.balancer, *self.addresses)
            for at, what in asker.losses
        )

    def _keep_asking(self, asker: Asker) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            asker.ask()
            rest = 1 / asker.per_second - (time.monotonic() - began)
            self._stop.wait(max(rest, 0.0))
