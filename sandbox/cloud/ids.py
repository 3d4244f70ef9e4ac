"""Ids as AWS writes them, the same for the same seed."""

from __future__ import annotations

import random
import uuid


class Ids:
    """Makes ids from a seeded source of randomness."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def hex(self, digits: int = 17) -> str:
        return f"{self._source.getrandbits(digits * 4):0{digits}x}"

    def resource(self, prefix: str) -> str:
        """``resource("i")`` → ``i-0f3…`` (17 digits, as in EC2)."""
        return f"{prefix}-0{self.hex(16)}"

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._source.getrandbits(128), version=4))
