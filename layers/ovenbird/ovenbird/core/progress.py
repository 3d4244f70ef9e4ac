"""How far a refresh has come, and since when it has come no further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ovenbird.core.refreshes import Refresh


@dataclass(frozen=True)
class Progress:
    """What a step remembers of a refresh between two looks; it travels in the step's answer.

    ``refresh`` is the id of the refresh that we started or adopted; ``since`` is when ``percent``
    and ``remaining`` last got better; ``percent_before`` is what they got better from.
    ``given_up`` is our own reason for a rollback that we asked for; ``excused`` says that this is
    not the image's doing. ``tried``: an address was tried on the first new instance.
    """

    refresh: str = ""
    percent: int = 0
    remaining: int | None = None
    percent_before: int = 0
    since: datetime | None = None
    given_up: str = ""
    excused: bool = False
    tried: bool = False

    def seen(self, mine: Sequence[Refresh], now: datetime) -> Progress:
        """What is remembered after this look; the same look again changes nothing.

        Args:
            mine: The rollout's refreshes, newest first. While the one that is remembered is not
                among them (it was started a moment ago), nothing is learnt.
        """
        known = any(each.refresh_id == self.refresh for each in mine)
        if not mine or (self.refresh and not known):
            return self
        refresh = mine[0]
        if refresh.refresh_id != self.refresh or self.since is None:
            return replace(
                self,
                refresh=refresh.refresh_id,
                percent=refresh.percent,
                remaining=refresh.remaining,
                percent_before=0,
                since=now,
            )
        fewer = self.remaining is None or refresh.remaining < self.remaining
        if refresh.percent == self.percent and not fewer:
            return self
        return replace(
            self,
            percent=refresh.percent,
            remaining=refresh.remaining,
            percent_before=self.percent,
            since=now,
        )

    def to_json(self) -> dict[str, Any]:
        """As facts of an answer."""
        return {
            "refresh": self.refresh,
            "percent": self.percent,
            "remaining": self.remaining,
            "percent_before": self.percent_before,
            "percent_since": self.since.isoformat() if self.since else None,
            "given_up": self.given_up,
            "excused": self.excused,
            "tried": self.tried,
        }

    @classmethod
    def from_json(cls, answer: Mapping[str, Any] | None) -> Progress:
        """From the step's previous answer, or from nothing at its first look."""
        known = answer or {}
        since = known.get("percent_since")
        return cls(
            refresh=known.get("refresh") or "",
            percent=known.get("percent") or 0,
            remaining=known.get("remaining"),
            percent_before=known.get("percent_before") or 0,
            since=datetime.fromisoformat(since) if since else None,
            given_up=known.get("given_up") or "",
            excused=known.get("excused", False),
            tried=known.get("tried", False),
        )
