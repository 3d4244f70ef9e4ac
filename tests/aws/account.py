"""The account that is asked, and what is made in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TAG = "ovenbird:verify"
T = TypeVar("T")


class NotInTime(Exception):
    """What was waited for did not come."""


def code(call: Callable[[], object]) -> str:
    """AWS's code for the refusal of a call; ``accepted`` when it was not refused."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "accepted"


@dataclass(frozen=True)
class Account:
    """Where to try, and with what.

    ``name`` is unique for a run and begins the name of everything that is made; ``pause`` is the
    time between two looks, in seconds.
    """

    session: boto3.Session
    name: str
    image: str
    subnet: str
    instance_type: str
    pause: float = 5.0
    clients: dict[str, Any] = field(default_factory=dict, hash=False)

    def client(self, service: str) -> Any:
        """A client of the account; one for each service."""
        if service not in self.clients:
            config = Config(retries={"mode": "standard", "max_attempts": 8})
            self.clients[service] = self.session.client(service, config=config)  # type: ignore[call-overload]  # any name
        return self.clients[service]

    @property
    def tags(self) -> list[dict[str, str]]:
        return [{"Key": TAG, "Value": self.name}]

    def tagged(self, *kinds: str) -> list[dict[str, Any]]:
        """``TagSpecifications`` of EC2 for these resource types."""
        return [{"ResourceType": kind, "Tags": self.tags} for kind in kinds]

    def until(self, find: Callable[[], T | None], what: str, *, minutes: float = 10) -> T:
        """Look again and again until something is found.

        Raises:
            NotInTime: It was not found.
        """
        deadline = time.monotonic() + minutes * 60
        while (found := find()) is None or found is False:
            if time.monotonic() > deadline:
                raise NotInTime(f"{what} did not come within {minutes:g} minutes")
            time.sleep(self.pause)
        return found

    def once_allowed(self, call: Callable[[], T], what: str) -> T:
        """Make a call that AWS refuses until a new role is known everywhere.

        Source: IAM user guide, "Changes that I make are not always immediately visible".
        """

        def attempt() -> T | None:
            try:
                return call()
            except ClientError as error:
                if error.response["Error"]["Code"] not in _ROLE_UNKNOWN:
                    raise
            return None

        return self.until(attempt, what, minutes=2)


_ROLE_UNKNOWN = ("InvalidParameterValue", "InvalidParameterValueException", "AccessDeniedException")
# InvalidAMIID.Unavailable: an image that was deregistered a moment ago.
_GONE = ("NotFound", "NoSuchEntity", "DoesNotExist", "NonExistentQueue", "AMIID.Unavailable")


class Belongings:
    """What was made, and how each thing is removed; the last one first, whatever happens."""

    def __init__(self, tell: Callable[[str], object], *, pause: float, patience: float) -> None:
        self._tell, self._pause, self._patience = tell, pause, patience
        self._removals: list[tuple[str, Callable[[], object]]] = []

    def add(self, what: str, remove: Callable[[], object]) -> None:
        """Remember how to remove it. Say so *before* making it, where its name is known.

        ``remove`` may raise while AWS still needs the thing, and for what was never made.
        """
        self._removals.append((what, remove))

    def remove(self) -> list[str]:
        """Remove everything; the answer is what could not be removed."""
        left = []
        while self._removals:
            what, remove = self._removals.pop()
            self._tell(f"removing {what}")
            if problem := self._persist(remove):
                left.append(f"{what}: {problem}")
        return left

    def _persist(self, remove: Callable[[], object]) -> str:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                remove()
            except (ClientError, BotoCoreError, NotInTime) as error:
                if _is_gone(error):
                    return ""
                if time.monotonic() > deadline:
                    return str(error)
                time.sleep(self._pause)
            else:
                return ""


def _is_gone(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    return any(word in error.response["Error"]["Code"] for word in _GONE)
