"""The settings of a function: its environment variables, checked once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ovenbird.core.quotes import quoted
from ovenbird.errors import BadSettings

_ARN = r"arn:[a-z-]+:{}:[a-z0-9-]+:[0-9]{{12}}:"
_RULES = {
    "OVENBIRD_TABLE": (r"[A-Za-z0-9_.-]{3,255}", "a DynamoDB table name"),
    "OVENBIRD_TOPIC_ARN": (rf"{_ARN.format('sns')}[A-Za-z0-9_.-]+", "an SNS topic ARN"),
    "OVENBIRD_STATE_MACHINE_ARN": (
        rf"{_ARN.format('states')}stateMachine:[A-Za-z0-9_.-]+",
        "a state machine ARN",
    ),
    "OVENBIRD_PARAMETERS": (
        r"/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
        "a parameter path like /ovenbird/fleets",
    ),
}


@dataclass(frozen=True)
class Settings:
    """Where this deployment of Ovenbird keeps its things."""

    table: str
    topic_arn: str
    state_machine_arn: str
    parameters: str

    @property
    def home(self) -> tuple[str, str]:
        """The region and the account that Ovenbird is deployed in."""
        region, account = self.state_machine_arn.split(":")[3:5]
        return region, account

    @property
    def addresses_machine_arn(self) -> str:
        """The other state machine's: the template gives both their names."""
        return self.state_machine_arn.removesuffix("-rollout") + "-addresses"

    def execution_arn(self, rollout: str) -> str:
        """The ARN of a rollout's execution (its name is the rollout's id)."""
        return f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{rollout}"


def read(environment: Mapping[str, str]) -> Settings:
    """Check the variables and return them.

    Raises:
        BadSettings: Names the variable, its value and what would be right.
    """
    values = []
    for name, (pattern, wanted) in _RULES.items():
        value = environment.get(name, "")
        if not re.fullmatch(pattern, value):
            raise BadSettings(f"{name} is {quoted(value)}; it must be {wanted}.")
        values.append(value)
    return Settings(*values)


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read(os.environ)
