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
