"""The web server of the gateway, in a thread of this process and on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import Framework

from sandbox.asgi import Application
from sandbox.loopback import Place

_PATIENCE_SECONDS = 20.0


class Server:
    """Serves one ASGI application, lifespan included."""

    def __init__(self, place: Place, application: Application) -> None:
        self.place = place
        self._application = application
        self._config = Config()
        self._config.bind = [f"{place.host}:{place.port}"]
        self._config.loglevel = "WARNING"
        self._config.errorlog = logging.getLogger("gateway")
        self._config.keep_alive_timeout = 75  # AWS keeps connections that long, and SDKs reuse them
        self._config.graceful_timeout = 1.0
        self._config.shutdown_timeout = 5.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="gateway", daemon=True)

    def start(self) -> None:
        """Return when the server answers.

        Raises:
            RuntimeError: It ended, or did not begin to answer in time.
        """
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            with socket.socket() as knock:
                if knock.connect_ex((self.place.host, self.place.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"The gateway does not answer on {self.place.url}.") from self._failure

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop serving."""
        if self._loop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _serve(self) -> None:
        try:
            asyncio.run(self._until_the_end())
        except (OSError, RuntimeError) as failure:
            self._failure = failure

    async def _until_the_end(self) -> None:
        self._loop = asyncio.get_running_loop()
        trigger = self._end.wait
        # Hypercorn's own types for an application are its four protocols; ASGI's is wider.
        await serve(cast(Framework, self._application), self._config, shutdown_trigger=trigger)
