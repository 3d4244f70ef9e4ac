"""Settings: a wrong environment variable is refused in one sentence."""

from __future__ import annotations

import pytest

from ovenbird import settings
from ovenbird.errors import BadSettings
from ovenbird.settings import Settings

GOOD = {
    "OVENBIRD_TABLE": "ovenbird-Ledger",
    "OVENBIRD_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:ovenbird",
    "OVENBIRD_STATE_MACHINE_ARN": (
        "arn:aws:states:eu-west-1:111122223333:stateMachine:ovenbird-rollout"
    ),
    "OVENBIRD_PARAMETERS": "/ovenbird/fleets",
}


def test_reads_good_ones() -> None:
    assert settings.read(GOOD) == Settings(*GOOD.values())


def test_an_execution_has_the_rollouts_name() -> None:
    assert settings.read(GOOD).execution_arn("web-1") == (
        "arn:aws:states:eu-west-1:111122223333:execution:ovenbird-rollout:web-1"
    )


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", ["", "x y", None])
def test_refuses(name: str, value: str | None) -> None:
    environment = {key: text for key, text in GOOD.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(BadSettings, match=f'^{name} is "{value or ""}"; it must be '):
        settings.read(environment)
