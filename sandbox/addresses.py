"""An Elastic IP as a real TCP listener, whose connections go to the instance that holds it now.

When the address moves, the connections that it carried are cut; when nobody holds it, new ones are
reset at once. Both are how AWS's address translation shows itself to a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from sandbox.loopback import Place

_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset instead of a farewell


class Address:
    """One Elastic IP on one port; lives in one event loop.

    ``holder`` says where the port of the instance that holds the address is, or ``None``.
    """

    def __init__(self, place: Place, holder: Callable[[], Place | None]) -> None:
        self.place = place
        self._holder = holder
        self._server: asyncio.Server | None = None
        self._carried: dict[asyncio.Task[None], Place] = {}

    @property
    def url(self) -> str:
        return self.place.url

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.place.host, self.place.port)

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._carried):
            task.cancel()
        await asyncio.gather(*self._carried, return_exceptions=True)

    def follow(self) -> None:
        """Cut the connections that lead to somebody who no longer holds the address."""
        holder = self._holder()
        for task, target in list(self._carried.items()):
            if target != holder:
                task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = self._holder()
        task = asyncio.current_task()
        assert task
        if target is None:
            _reset(writer)
            return
        self._carried[task] = target
        try:
            await _carry(reader, writer, target)
        except asyncio.CancelledError:
            _reset(writer)
        except OSError:  # the instance refuses or resets: so does the address
            _reset(writer)
        finally:
            self._carried.pop(task, None)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Place) -> None:
    """Pass bytes in both directions until both sides have said all."""
    far_reader, far_writer = await asyncio.open_connection(target.host, target.port)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, far_writer))
            both.create_task(_pass_on(far_reader, writer))
    except* OSError as broken:
        raise ConnectionResetError from broken
    finally:
        far_writer.transport.abort()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
