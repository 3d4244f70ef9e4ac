"""Where the time of simulated rollouts goes, by whose code it is."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from collections.abc import Callable

_OWNERS = (
    ("/botocore/", "boto3"),
    ("/boto3/", "boto3"),
    ("/ministack/", "ministack (the ledger's DynamoDB)"),
    ("/sandbox/cloud/", "the model cloud"),
    ("/layers/ovenbird/", "Ovenbird"),
    ("/functions/", "Ovenbird"),
    ("/aws_lambda_powertools/", "logs and metrics"),
    ("/tests/", "the story runner"),
)


def shares(work: Callable[[], object]) -> list[tuple[str, float]]:
    """Whose code took which share of the time; built-ins count for whoever called them."""
    profile = cProfile.Profile()
    profile.runcall(work)
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if _owner(file) != _OTHERS or not callers:
            spent[_owner(file)] += own
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            spent[_owner(caller)] += part
    whole = sum(spent.values())
    return [(owner, time / whole) for owner, time in spent.most_common()]


_OTHERS = "Python's own library"


def _owner(file: str) -> str:
    return next((owner for part, owner in _OWNERS if part in file), _OTHERS)
