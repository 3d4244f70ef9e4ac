"""One clean session for these stories too, and examples that are the same in every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ovenbird.aws import clients
from ovenbird.settings import settings

hypothesis_settings.register_profile(
    "hostile",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="package", autouse=True)
def _clean_session_afterwards() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()
    clients.reset()
