"""The credentials of one sandbox: made at random when it starts, kept nowhere but in memory."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

_ID = string.ascii_uppercase + "234567"  # as AWS's: base 32


@dataclass(frozen=True)
class Key:
    """An access key; whoever only reads from S3 may do nothing else with it."""

    id: str
    secret: str
    reads_s3_only: bool = False

    def __repr__(self) -> str:
        return f"Key({self.id})"  # the secret is in no log

    @property
    def environment(self) -> dict[str, str]:
        """As AWS's tools read it."""
        return {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret}


@dataclass(frozen=True)
class Keys:
    """Who holds a key: people with the exports, the Lambda functions, the instances."""

    people: Key
    functions: Key
    instances: Key

    @classmethod
    def random(cls) -> Keys:
        return cls(_random(), _random(), _random(reads_s3_only=True))

    def __getitem__(self, key_id: str) -> Key:
        """The key with this id.

        Raises:
            KeyError: There is none.
        """
        return {key.id: key for key in (self.people, self.functions, self.instances)}[key_id]


def of_environment(environment: Mapping[str, str]) -> Key | None:
    """The key that somebody has in the environment; ``None`` without one."""
    key_id, secret = (
        environment.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    return Key(key_id, secret) if key_id and secret else None


def _random(*, reads_s3_only: bool = False) -> Key:
    # Not twelve digits: ministack would take those for an account.
    key_id = "AKIA" + "".join(secrets.choice(_ID) for _ in range(16))
    return Key(key_id, secrets.token_urlsafe(30), reads_s3_only)
