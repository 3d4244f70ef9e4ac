"""The short table at the end, the same on the screen and in the report."""

from __future__ import annotations

from sandbox.demo.recording import Act, Show
from sandbox.demo.traffic import Tally


def clock_time(seconds: float) -> str:
    """``754`` → ``12:34`` (minutes and seconds)."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def columns() -> tuple[str, ...]:
    return (
        "rollout",
        "result",
        "cloud time",
        "balancer: served / lost",
        "addresses: served / lost",
        "AWS calls (changing)",
        "transitions",
        "cost",
    )


def rows(show: Show) -> list[tuple[str, ...]]:
    """A row for each act, every cell as text."""
    return [_row(show, act) for act in show.acts]


def _row(show: Show, act: Act) -> tuple[str, ...]:
    balancer, addresses = act.served()
    return (
        act.title,
        act.outcome,
        clock_time(show.cloud_seconds(act.ended - act.began)),
        _served(balancer),
        _served(addresses),
        f"{act.api_calls} ({act.changing_calls})",
        str(act.transitions),
        f"${act.dollars:.4f}",
    )


def _served(tally: Tally) -> str:
    return f"{tally.answered} / {tally.lost}"
