"""The attacks share one process and one boto3 session; other suites get a clean one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ovenbird.aws import clients
from ovenbird.settings import settings


@pytest.fixture(scope="package", autouse=True)
def _clean_session_afterwards() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()
    clients.reset()
