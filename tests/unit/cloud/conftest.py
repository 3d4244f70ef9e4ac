"""One account for each test."""

from __future__ import annotations

import pytest

from tests.unit.cloud.account import Account


@pytest.fixture
def account() -> Account:
    return Account()
