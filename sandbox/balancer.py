"""A load balancer's listener as a real HTTP proxy.

Like an Application Load Balancer it sends each request once, to the next healthy target, and
answers 502, 503 or 504 itself when that does not work: a request that a rollout loses is seen to be
lost. A target that is no longer in the list gets no new request; the ones under way are finished.
Source: Elastic Load Balancing, "Troubleshoot your Application Load Balancers", HTTP errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from aiohttp import (
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    TCPConnector,
    web,
)

from sandbox.loopback import Place

IDLE_SECONDS = 60
_CONNECT_SECONDS = 10
# RFC 9110, section 7.6.1: these headers concern one connection and are not passed on.
_OF_THE_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Balancer:
    """Listens in one place and asks ``targets`` for every request; lives in one event loop."""

    def __init__(self, place: Place, targets: Callable[[], Sequence[Place]]) -> None:
        self.place = place
        self.answers: Counter[int] = Counter()  # by HTTP status
        self._targets = targets
        self._turn = 0
        self._runner: web.ServerRunner | None = None
        self._session: ClientSession | None = None

    @property
    def url(self) -> str:
        return self.place.url

    @property
    def answered(self) -> int:
        """Requests answered, whatever the answer."""
        return self.answers.total()

    @property
    def failed(self) -> int:
        """Requests answered with a 5xx, by a target or by the balancer itself."""
        return sum(number for status, number in self.answers.items() if status >= 500)

    async def start(self) -> None:
        # No connection is kept for a second request: one that its target closes in the same moment
        # would lose that request.
        self._session = ClientSession(
            connector=TCPConnector(force_close=True, limit=0),
            timeout=ClientTimeout(
                total=None, sock_connect=_CONNECT_SECONDS, sock_read=IDLE_SECONDS
            ),
            auto_decompress=False,
        )
        self._runner = web.ServerRunner(web.Server(self._proxy, access_log=None))
        await self._runner.setup()
        await web.TCPSite(self._runner, self.place.host, self.place.port).start()

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _proxy(self, request: web.BaseRequest) -> web.StreamResponse:
        targets = self._targets()
        if not targets:
            return self._refuse(503)
        self._turn += 1
        target = targets[self._turn % len(targets)]
        assert self._session
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _OF_THE_CONNECTION
        }
        headers["X-Forwarded-For"] = request.remote or ""
        try:
            answer = await self._session.request(
                request.method,
                f"{target.url}{request.raw_path}",
                headers=headers,
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
            )
        except TimeoutError:
            return self._refuse(504)
        except ClientConnectionError:
            return self._refuse(502)
        async with answer:
            self.answers[answer.status] += 1
            try:
                return await _pass_on(answer, request)
            except (ClientPayloadError, TimeoutError):  # the target broke off in the middle
                self.answers[answer.status] -= 1
                self.answers[502] += 1
                if request.transport:
                    request.transport.abort()
                raise

    def _refuse(self, status: int) -> web.Response:
        self.answers[status] += 1
        return web.Response(status=status)


async def _pass_on(answer: ClientResponse, request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    for name, value in answer.headers.items():
        if name.lower() not in _OF_THE_CONNECTION:
            response.headers.add(name, value)
    await response.prepare(request)
    async for piece in answer.content.iter_any():
        await response.write(piece)
    await response.write_eof()
    return response
