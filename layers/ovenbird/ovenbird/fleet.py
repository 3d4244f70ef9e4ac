"""The fleet document: what the owner of a fleet wants.

``fleet.schema.json`` beside this file is the one truth about its fields, their limits and their
defaults; editors and the reference page read the same file. Only what a schema cannot say is
checked here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ovenbird import schema
from ovenbird.core.quotes import plain, quoted
from ovenbird.errors import BadFleet

NAME = r"[a-z0-9][a-z0-9-]{0,39}"


@dataclass(frozen=True)
class S3Source:
    """``key`` is a pattern for the whole key, with ``*`` and ``?``."""

    bucket: str
    key: str


@dataclass(frozen=True)
class PipelineSource:
    """``artifact``: ``s3://bucket/key``, in which ``{revision}`` stands for the revision."""

    pipeline: str
    artifact: str | None = None


@dataclass(frozen=True)
class CommitSource:
    repository: str
    branch: str
    artifact: str | None = None


@dataclass(frozen=True)
class BuildSource:
    project: str
    artifact: str | None = None


@dataclass(frozen=True)
class ContainerSource:
    """``tag`` ``None``: any tag."""

    repository: str
    tag: str | None = None


@dataclass(frozen=True)
class ReleaseSources:
    """Which pushes are releases of the fleet; ``None`` means none of that kind."""

    s3: S3Source | None = None
    codepipeline: PipelineSource | None = None
    codecommit: CommitSource | None = None
    codebuild: BuildSource | None = None
    ecr: ContainerSource | None = None
    events: bool = True


@dataclass(frozen=True)
class BakeSettings:
    """How an image is made.

    ``base``: ``ami-…`` or a public parameter ``/aws/service/…``; ``None`` means our own choice.
    """

    base: str | None = None
    install: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    timeout_minutes: int = 60
    environment: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class RollSettings:
    """How the group is rolled. ``None`` means: by the group's size."""

    min_healthy_percent: int | None = None
    max_healthy_percent: int | None = None
    warmup_seconds: int | None = None
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay_seconds: int = 3600
    bake_time_seconds: int = 0
    skip_matching: bool = True
    auto_rollback: bool = True
    alarms: tuple[str, ...] = ()
    protected_instances: Literal["Refresh", "Ignore", "Wait"] = "Refresh"
    standby_instances: Literal["Terminate", "Ignore", "Wait"] = "Ignore"
    stall_minutes: int = 20
    give_up_after_minutes: int = 240
    pin: bool = False


@dataclass(frozen=True)
class AddressSettings:
    """``count`` 0: the fleet has no addresses."""

    count: int = 0


@dataclass(frozen=True)
class Fleet:
    """The document, checked, with its defaults in place; ``text`` is as its owner wrote it."""

    name: str
    group: str
    release: ReleaseSources = ReleaseSources()
    bake: BakeSettings = BakeSettings()
    roll: RollSettings = RollSettings()
    addresses: AddressSettings = AddressSettings()
    text: str = field(default="{}", compare=False)


def parse(name: str, text: str) -> Fleet:
    """Read a fleet document.

    Args:
        name: The last part of the parameter's name.
        text: The parameter's value, JSON.

    Raises:
        BadFleet: One sentence that names the field, its value and what would be right.
    """
    if not re.fullmatch(NAME, name):
        raise BadFleet(f"The fleet's name is {quoted(name)}; it must match {NAME}.")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise BadFleet(f"Fleet {name}: the document is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadFleet(f"Fleet {name}: the document is nested too deeply.") from error
    wrong = schema.first_error(document_schema(), document)
    if wrong is None:
        document = schema.with_defaults(document_schema(), document)
        wrong = _beyond_the_schema(document)
    if wrong is not None:
        raise BadFleet(f"Fleet {name}: {wrong}")
    return replace(_fleet(name, document), text=text)


@cache
def document_schema() -> dict[str, Any]:
    """The schema, as in the file; do not change it."""
    text = Path(__file__).with_name("fleet.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _beyond_the_schema(document: dict[str, Any]) -> str | None:
    roll = document["roll"]
    least, most = roll.get("min_healthy_percent"), roll.get("max_healthy_percent")
    if least is not None and most is not None and most - least > 100:
        return (
            f"roll.max_healthy_percent is {most}; it must be at most 100 more than "
            f"roll.min_healthy_percent, which is {least}."
        )
    checkpoints = roll["checkpoints"]
    if checkpoints and (checkpoints != sorted(checkpoints) or checkpoints[-1] != 100):
        return (
            f"roll.checkpoints is {quoted(checkpoints)}; it must ascend and end with 100, "
            "or part of the group would stay on the old version."
        )
    reserved = [name for name in document["bake"]["environment"] if name.startswith("OVENBIRD_")]
    if reserved:
        return (
            f"bake.environment.{plain(reserved[0])} is set by Ovenbird; "
            "it must be a name that does not begin with OVENBIRD_."
        )
    for source, wanted in document["release"].items():
        artifact = wanted.get("artifact", "") if isinstance(wanted, dict) else ""
        rest = artifact.replace("{revision}", "")
        if "{" in rest or "}" in rest:
            return (
                f"release.{source}.artifact is {quoted(artifact)}; "
                "{revision} must be the only part in braces."
            )
    return None


def _fleet(name: str, document: dict[str, Any]) -> Fleet:
    release, bake, roll = document["release"], document["bake"], document["roll"]
    plain: dict[str, Any] = {
        # 60.0 is a whole number in JSON Schema, and ours are int.
        key: int(value) if isinstance(value, float) else value
        for key, value in roll.items()
        if not isinstance(value, list)
    }
    return Fleet(
        name=name,
        group=document["groups"][0],
        release=ReleaseSources(
            s3=S3Source(**release["s3"]) if "s3" in release else None,
            codepipeline=(
                PipelineSource(**release["codepipeline"]) if "codepipeline" in release else None
            ),
            codecommit=CommitSource(**release["codecommit"]) if "codecommit" in release else None,
            codebuild=BuildSource(**release["codebuild"]) if "codebuild" in release else None,
            ecr=ContainerSource(**release["ecr"]) if "ecr" in release else None,
            events=release["events"],
        ),
        bake=BakeSettings(
            **{
                **bake,
                "install": tuple(bake["install"]),
                "verify": tuple(bake["verify"]),
                "timeout_minutes": int(bake["timeout_minutes"]),
            }
        ),
        roll=RollSettings(
            **plain,
            checkpoints=tuple(int(percent) for percent in roll["checkpoints"]),
            alarms=tuple(roll["alarms"]),
        ),
        addresses=AddressSettings(count=int(document["addresses"]["count"])),
    )
