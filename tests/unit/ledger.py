"""An empty ledger for a test: a table of its own, behind real boto3 clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from ovenbird.aws import clients
from tests.stories import dynamodb

TABLE = "ovenbird-test"
ENVIRONMENT = {
    "OVENBIRD_TABLE": TABLE,
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def empty() -> Iterator[None]:
    """The ledger is empty inside the block; afterwards the clients are forgotten."""
    with mock.patch.dict("os.environ", ENVIRONMENT):
        clients.reset()
        dynamodb.attach(clients.session.events, TABLE)
        try:
            yield
        finally:
            clients.reset()
