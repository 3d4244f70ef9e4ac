"""The doors through which visitors come: a proxy for every listener, a relay for every address.

They follow the model cloud: the heartbeat has a look at it and leaves what it saw for the event
loop, which therefore never waits for the cloud's lock. What visitors find is at most one heartbeat
old.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from itertools import count
from typing import Any

from sandbox.addresses import Address
from sandbox.balancer import Balancer
from sandbox.cloud.cloud import Cloud
from sandbox.loopback import Loopback, Place
from sandbox.machines import APPLICATION_PORT, RealMachines

_PRIVILEGED = 1024  # ports below need root; port 80 is served at 8080 then, 443 at 8443


class Doors:
    """Listens where the cloud's balancers and Elastic IPs are; has an event loop of its own."""

    def __init__(self, cloud: Cloud, machines: RealMachines, loopback: Loopback) -> None:
        self._cloud, self._machines, self._loopback = cloud, machines, loopback
        self.balancers: dict[str, Balancer] = {}  # by listener ARN
        self.addresses: dict[str, Address] = {}  # by public address
        self._targets: dict[str, list[Place]] = {}  # by listener ARN
        self._holders: dict[str, Place | None] = {}
        self._reserved: dict[str, Place] = {}
        self._numbers = count(1)
        self._looking = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="doors", daemon=True)
        cloud.ec2.addresses.allocate_address = self._reserve

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Close every door."""
        for balancer in self.balancers.values():
            self._run(balancer.close())
        for address in self.addresses.values():
            self._run(address.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def look(self) -> None:
        """See who is healthy and who holds which address, and open or close doors accordingly."""
        with self._looking:
            self._look()

    def _look(self) -> None:
        with self._cloud.kernel.lock:
            self._targets = {
                listener.arn: self._healthy(listener.target_groups)
                for balancer in self._cloud.elbv2.balancers.values()
                for listener in balancer.listeners
            }
            self._holders = {
                address.public_address: self._machines.place(address.instance_id, APPLICATION_PORT)
                for address in self._cloud.ec2.addresses.all.values()
            }
        for arn in self._targets.keys() - self.balancers.keys():
            self._open_balancer(arn)
        for public in sorted(self._holders.keys() - self.addresses.keys()):
            self._open_address(public)
        for public in self.addresses.keys() - self._holders.keys():
            self._run(self.addresses.pop(public).close())
        self._loop.call_soon_threadsafe(self._follow)

    def _healthy(self, target_groups: tuple[str, ...]) -> list[Place]:
        targets = [
            self._machines.place(*target)
            for arn in target_groups
            for target in self._cloud.elbv2.healthy_targets(arn)
        ]
        return [place for place in targets if place]

    def _open_balancer(self, arn: str) -> None:
        with self._cloud.kernel.lock:
            balancer, listener = next(
                (balancer, listener)
                for balancer in self._cloud.elbv2.balancers.values()
                for listener in balancer.listeners
                if listener.arn == arn
            )
            port = int(listener.put["Port"])
            place = self._loopback.place(port if port >= _PRIVILEGED else 8000 + port)
            balancer.dns_name = place.host  # a name that works, unlike one of amazonaws.com
        self.balancers[arn] = Balancer(place, lambda: self._targets.get(arn, []))
        self._run(self.balancers[arn].start())

    def _open_address(self, public: str) -> None:
        place = self._reserved.pop(public)
        self.addresses[public] = Address(place, lambda: self._holders.get(public))
        self._run(self.addresses[public].start())

    def _reserve(self) -> str:
        """A public address for AllocateAddress: where Linux can, one on which it is served."""
        place = self._loopback.place(APPLICATION_PORT)
        # Else one that is reserved for documentation (RFC 5737).
        public = place.host if self._loopback.many else f"203.0.113.{next(self._numbers)}"
        self._reserved[public] = place
        return public

    def _follow(self) -> None:
        for address in self.addresses.values():
            address.follow()

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result()
