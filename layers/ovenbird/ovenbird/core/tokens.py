"""Client tokens: the same request has the same token, however often and by whom it is sent."""

from __future__ import annotations

import hashlib
import json


def token(rollout: str, step: str, inputs: object) -> str:
    """64 hex digits, which every AWS API with a client token accepts.

    boto3 fills in a random token that changes with every run of a Lambda, so a repeated run would
    make everything twice.

    Args:
        inputs: The rest of the request, as JSON can write it.
    """
    text = json.dumps([rollout, step, inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def launch_token(rollout: str, request: object) -> str:
    """The client token of a builder's launch; its first half says which rollout launched it.

    EC2 shows it for as long as the instance is known, and nobody can write it afterwards: it is the
    mark by which a builder is known that a turn launched and did not live to tell of.
    """
    return _digest(rollout)[:32] + token(rollout, "bake_image", request)[:32]


def is_of_launch(client_token: str, rollout: str) -> bool:
    """Whether an instance with that client token was launched for the rollout, by Ovenbird."""
    return bool(rollout) and client_token[:32] == _digest(rollout)[:32] and len(client_token) == 64


def _digest(rollout: str) -> str:
    return hashlib.sha256(f"ovenbird builder {rollout}".encode()).hexdigest()
