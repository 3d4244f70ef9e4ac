"""The balancer and the Elastic IPs, over real sockets."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.addresses import Address
from sandbox.balancer import Balancer
from sandbox.loopback import Loopback, Place
from tests.sandbox.event_loop import EventLoop

LOOPBACK = Loopback(os.getpid() + 100)  # apart from another run, and from its machines


class Application(ThreadingHTTPServer):
    """An application that says its name; ``/slow`` waits until it is let go."""

    request_queue_size = 64
    daemon_threads = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.place = LOOPBACK.place(8080)
        self.let_go = threading.Event()
        self.asked = threading.Event()
        super().__init__((self.place.host, self.place.port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def end(self) -> None:
        self.let_go.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Application

    def do_GET(self) -> None:
        self.server.asked.set()
        if self.path == "/slow":
            self.server.let_go.wait(5)
        if self.path == "/half":
            self._say(200, b"half of", promised=14)
            return
        self._say(500 if self.path == "/broken" else 200, self.server.name.encode())

    def do_POST(self) -> None:
        self._say(200, self.rfile.read(int(self.headers["Content-Length"])))

    def _say(self, status: int, body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(promised or len(body)))
        self.send_header("X-Seen-For", self.headers.get("X-Forwarded-For", ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Quiet."""


def ask(place: Place, path: str = "/", body: bytes | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(place.host, place.port, timeout=5)
    try:
        connection.request("POST" if body else "GET", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    with EventLoop() as running:
        yield running


@pytest.fixture
def one() -> Iterator[Application]:
    application = Application("one")
    yield application
    application.end()


@pytest.fixture
def two() -> Iterator[Application]:
    application = Application("two")
    yield application
    application.end()


@pytest.fixture
def targets(one: Application, two: Application) -> list[Place]:
    return [one.place, two.place]


@pytest.fixture
def balancer(loop: EventLoop, targets: list[Place]) -> Iterator[Balancer]:
    made = Balancer(LOOPBACK.place(8080), lambda: list(targets))
    loop.run(made.start())
    yield made
    loop.run(made.close())


class Holder:
    """Who holds the address now."""

    place: Place | None = None


@pytest.fixture
def holder() -> Holder:
    return Holder()


@pytest.fixture
def address(loop: EventLoop, holder: Holder) -> Iterator[Address]:
    made = Address(LOOPBACK.place(8080), lambda: holder.place)
    loop.run(made.start())
    yield made
    loop.run(made.close())


def test_the_balancer_takes_turns(balancer: Balancer) -> None:
    answers = [ask(balancer.place) for _ in range(4)]

    assert sorted(answers) == [(200, "one"), (200, "one"), (200, "two"), (200, "two")]
    assert (balancer.answered, balancer.failed) == (4, 0)


def test_a_request_has_a_body_and_a_sender(balancer: Balancer) -> None:
    big = b"x" * 300_000
    assert ask(balancer.place, "/", big) == (200, big.decode())

    connection = http.client.HTTPConnection(balancer.place.host, balancer.place.port, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().headers["X-Seen-For"] == "127.0.0.1"
    connection.close()


def test_an_error_of_a_target_is_passed_on_and_counted(balancer: Balancer) -> None:
    assert ask(balancer.place, "/broken")[0] == 500
    assert balancer.failed == 1


def test_a_request_to_a_target_that_is_gone_is_not_tried_elsewhere(
    balancer: Balancer, two: Application
) -> None:
    two.end()

    statuses = sorted(ask(balancer.place)[0] for _ in range(2))

    assert statuses == [200, 502]
    assert (balancer.answered, balancer.failed) == (2, 1)


def test_an_answer_that_breaks_off_is_a_failure(balancer: Balancer) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(balancer.place, "/half")
    assert balancer.answers.total() == 1
    assert balancer.failed == 1


def test_nobody_is_healthy(balancer: Balancer, targets: list[Place]) -> None:
    targets.clear()
    assert ask(balancer.place)[0] == 503
    assert balancer.answers == {503: 1}


def test_a_target_that_drains_finishes_what_it_began(
    balancer: Balancer, targets: list[Place], one: Application, two: Application
) -> None:
    targets.remove(two.place)
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(ask(balancer.place, "/slow")))
    asking.start()
    assert one.asked.wait(5)

    targets[:] = [two.place]
    assert ask(balancer.place) == (200, "two")
    one.let_go.set()
    asking.join(5)

    assert answers == [(200, "one")]


def test_a_connection_that_stays_open_goes_to_all_targets(balancer: Balancer) -> None:
    connection = http.client.HTTPConnection(balancer.place.host, balancer.place.port, timeout=5)
    bodies = []
    for _ in range(2):
        connection.request("GET", "/")
        bodies.append(connection.getresponse().read())
    connection.close()

    assert sorted(bodies) == [b"one", b"two"]


def test_an_address_leads_to_its_holder(
    address: Address, holder: Holder, one: Application, two: Application
) -> None:
    holder.place = one.place
    assert ask(address.place) == (200, "one")
    holder.place = two.place
    assert ask(address.place) == (200, "two")


def test_an_address_that_nobody_holds_resets(address: Address) -> None:
    with pytest.raises(OSError):
        ask(address.place)


def test_an_address_whose_holder_is_dead_resets(
    address: Address, holder: Holder, one: Application
) -> None:
    holder.place = one.place
    one.end()
    with pytest.raises(OSError):
        ask(address.place)


def test_a_move_cuts_what_the_address_carried(
    loop: EventLoop, address: Address, holder: Holder, one: Application, two: Application
) -> None:
    holder.place = one.place
    with socket.create_connection((address.place.host, address.place.port), 5) as connection:
        connection.sendall(b"GET /slow HTTP/1.0\r\n\r\n")
        assert one.asked.wait(5)

        loop.call(address.follow)  # nothing moved: nothing is cut
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)

        holder.place = two.place
        loop.call(address.follow)
        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_bytes_flow_until_both_sides_have_said_all(
    address: Address, holder: Holder, one: Application
) -> None:
    holder.place = one.place
    began = time.monotonic()
    assert ask(address.place, "/", b"y" * 500_000) == (200, "y" * 500_000)
    assert time.monotonic() - began < 2
