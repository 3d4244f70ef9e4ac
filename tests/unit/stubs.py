"""A client whose answers a test writes itself, for shapes that no model and no emulator has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from botocore.stub import Stubber

from ovenbird.aws import clients

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}


@contextmanager
def stubbed(service: str, *, once: bool = False) -> Iterator[Stubber]:
    """The client of a service answers what is queued, checked against AWS's model, and no more.

    Args:
        once: The client that never repeats a call.
    """
    with (
        mock.patch.dict("os.environ", ENVIRONMENT),
        mock.patch("botocore.endpoint.time.sleep"),
    ):
        clients.reset()
        with Stubber(clients.get(service, once=once)) as stubber:
            yield stubber
            stubber.assert_no_pending_responses()
        clients.reset()
