"""What a bake has made so far, told from turn to turn in its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Made:
    """The ids of what earlier turns made, and since when.

    Nothing depends on it but patience with eventual consistency: a turn that was killed after its
    effect forgets this, and everything is found again by tag, name and comment.
    """

    builder: str | None = None
    builder_since: datetime | None = None
    script: str | None = None
    script_since: datetime | None = None
    image: str | None = None
    image_since: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what there is; times in ISO 8601."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in told.items()
            if value is not None
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Made:
        """Read an answer of an earlier turn; what is not in it was not made."""
        values: dict[str, Any] = {
            each.name: datetime.fromisoformat(told[each.name])
            if each.name.endswith("_since")
            else told[each.name]
            for each in fields(cls)
            if told.get(each.name)
        }
        return cls(**values)
