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

from ovenbird import mistakes, schema
from ovenbird.core.quotes import quoted
from ovenbird.core.sources import (
    BuildSource,
    CommitSource,
    ContainerSource,
    PipelineSource,
    ReleaseSources,
    Requests,
    S3Source,
)
from ovenbird.errors import BadFleet

NAME = r"[a-z0-9][a-z0-9-]{0,39}"
_TOLD = 10  # mistakes in one text
_DEFAULT_SOURCES = ReleaseSources()


@dataclass(frozen=True)
class BakeSettings:
    """How an image is made.

    ``base``: ``ami-…`` or a public parameter ``/aws/service/…``; ``None`` means our own choice.
    ``secrets``: names of variables in ``environment`` whose values are blotted out of outputs.
    ``user_data``: ``None`` for none, ``keep`` for the template's, else a text.
    """

    base: str | None = None
    install: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    timeout_minutes: int = 60
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    secrets: tuple[str, ...] = ()
    boot_minutes: int = 15
    clean: bool = True
    user_data: str | None = None


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
    release: ReleaseSources = _DEFAULT_SOURCES
    bake: BakeSettings = BakeSettings()
    roll: RollSettings = RollSettings()
    addresses: AddressSettings = AddressSettings()
    tags: dict[str, str] = field(default_factory=dict, hash=False)
    text: str = field(default="{}", compare=False)


def parse(name: str, text: str) -> Fleet:
    """Read a fleet document.

    Args:
        name: The last part of the parameter's name.
        text: The parameter's value, JSON.

    Raises:
        BadFleet: A sentence for each mistake, which names the field, its value and what would be
            right.
    """
    if not re.fullmatch(NAME, name):
        raise BadFleet(f"The fleet's name is {quoted(name)}; it must match {NAME}.")
    try:
        document = json.loads(text, object_pairs_hook=mistakes.json_object)
    except ValueError as error:
        raise BadFleet(f"Fleet {name}: the document is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadFleet(f"Fleet {name}: the document is nested too deeply.") from error
    if wrong := tuple(mistakes.of(document, document_schema())):
        few = " ".join(wrong[:_TOLD])
        more = f" And {len(wrong) - _TOLD} more." if len(wrong) > _TOLD else ""
        raise BadFleet(f"Fleet {name}: {few}{more}", wrong)
    document = schema.with_defaults(document_schema(), document)
    return replace(_fleet(name, document), text=text)


@cache
def document_schema() -> dict[str, Any]:
    """The schema, as in the file; do not change it."""
    text = Path(__file__).with_name("fleet.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


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
        release=_sources(release),
        bake=BakeSettings(
            **{
                **bake,
                "install": tuple(bake["install"]),
                "verify": tuple(bake["verify"]),
                "secrets": tuple(bake["secrets"]),
                "timeout_minutes": int(bake["timeout_minutes"]),
                "boot_minutes": int(bake["boot_minutes"]),
            }
        ),
        roll=RollSettings(
            **plain,
            checkpoints=tuple(int(percent) for percent in roll["checkpoints"]),
            alarms=tuple(roll["alarms"]),
        ),
        addresses=AddressSettings(count=int(document["addresses"]["count"])),
        tags=dict(document["tags"]),
    )


_SOURCES = {
    "s3": S3Source,
    "codepipeline": PipelineSource,
    "codecommit": CommitSource,
    "codebuild": BuildSource,
    "ecr": ContainerSource,
}


def _sources(release: dict[str, Any]) -> ReleaseSources:
    events = release["events"]
    named: dict[str, Any] = {
        kind: source(**_frozen(release[kind]))
        for kind, source in _SOURCES.items()
        if kind in release
    }
    if "owner" in release:
        named["owner"] = release["owner"]
    if not isinstance(events, dict):
        return ReleaseSources(**named, events=Requests() if events else None)
    return ReleaseSources(**named, events=Requests(**_frozen(events)))


def _frozen(written: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in written.items()
    }
