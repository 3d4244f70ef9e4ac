"""The preferences of an instance refresh, checked and completed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.cloud.errors import AwsError


@dataclass(frozen=True)
class Preferences:
    """All preferences; ``maximum`` is ``None`` when it was not sent, which is not 100.

    Source: Auto Scaling API reference, RefreshPreferences.
    """

    minimum: int
    maximum: int | None
    warmup: timedelta
    checkpoints: tuple[int, ...]
    checkpoint_delay: timedelta
    bake: timedelta
    skip_matching: bool
    auto_rollback: bool
    protected: str
    standby: str
    alarms: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """The preferences as DescribeInstanceRefreshes shows them, defaults included."""
        shown: dict[str, Any] = {
            "MinHealthyPercentage": self.minimum,
            "InstanceWarmup": int(self.warmup.total_seconds()),
            "SkipMatching": self.skip_matching,
            "AutoRollback": self.auto_rollback,
            "ScaleInProtectedInstances": self.protected,
            "StandbyInstances": self.standby,
        }
        if self.maximum is not None:
            shown["MaxHealthyPercentage"] = self.maximum
        if self.checkpoints:
            shown["CheckpointPercentages"] = list(self.checkpoints)
            shown["CheckpointDelay"] = int(self.checkpoint_delay.total_seconds())
        if self.bake:
            shown["BakeTime"] = int(self.bake.total_seconds())
        if self.alarms:
            shown["AlarmSpecification"] = {"Alarms": list(self.alarms)}
        return shown


def read(sent: dict[str, Any], *, default_warmup: int) -> Preferences:
    """Check what was sent and fill in the API's defaults (the console has others).

    Raises:
        AwsError: A value outside its range, or one that needs another that is missing.
    """
    minimum, maximum = sent.get("MinHealthyPercentage"), sent.get("MaxHealthyPercentage")
    checkpoints = tuple(sent.get("CheckpointPercentages", ()))
    alarms = tuple(sent.get("AlarmSpecification", {}).get("Alarms", ()))
    if maximum is not None:
        if minimum is None:
            refuse("MaxHealthyPercentage needs MinHealthyPercentage.")
        elif maximum - minimum > 100:
            refuse("MaxHealthyPercentage minus MinHealthyPercentage cannot be above 100.")
        if not 100 <= maximum <= 200:
            refuse("MaxHealthyPercentage must be from 100 to 200.")
    if minimum is not None and not 0 <= minimum <= 100:
        refuse("MinHealthyPercentage must be from 0 to 100.")
    if list(checkpoints) != sorted(set(checkpoints)) or not all(1 <= c <= 100 for c in checkpoints):
        refuse("CheckpointPercentages must be unique, ascending and from 1 to 100.")
    if "CheckpointDelay" in sent and not checkpoints:
        refuse("CheckpointDelay needs CheckpointPercentages.")
    for name in ("CheckpointDelay", "BakeTime"):
        if not 0 <= sent.get(name, 0) <= 172_800:
            refuse(f"{name} must be from 0 to 172800.")
    if len(alarms) > 10:
        refuse("AlarmSpecification can name up to 10 alarms.")
    return Preferences(
        minimum=90 if minimum is None else minimum,
        maximum=maximum,
        warmup=timedelta(seconds=sent.get("InstanceWarmup", default_warmup)),
        checkpoints=checkpoints,
        checkpoint_delay=timedelta(seconds=sent.get("CheckpointDelay", 3600)),
        bake=timedelta(seconds=sent.get("BakeTime", 0)),
        skip_matching=sent.get("SkipMatching", False),
        auto_rollback=sent.get("AutoRollback", False),
        protected=sent.get("ScaleInProtectedInstances", "Wait"),
        standby=sent.get("StandbyInstances", "Wait"),
        alarms=alarms,
    )


def refuse(message: str) -> None:
    """Refuse a request as Auto Scaling does."""
    raise AwsError("ValidationError", message)
