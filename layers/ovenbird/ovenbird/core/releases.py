"""Releases: what a team pushed, which fleets want it, and what the rollout is called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol

REVISION = "{revision}"


@dataclass(frozen=True)
class Release:
    """What a team pushed.

    Args:
        source: ``s3``, ``codepipeline``, ``codecommit``, ``codebuild``, ``ecr``, ``ovenbird`` or
            ``manual``.
        id: The identity of the push: the same push told twice has the same one.
        revision: What people call it: a commit, a version, an execution.
        digest: The identity of the content: the same content pushed again has the same one.
        at: When it was pushed, ISO 8601 in UTC.
        bucket: With ``key``, where the artefact lies; ``None`` where the install script fetches
            the code itself.
        version_id: The object's version, where the bucket keeps versions.
        etag: The object's ETag, where it is known.
        description: A few words for a person.
    """

    source: str
    id: str
    revision: str
    digest: str
    at: str
    bucket: str | None = None
    key: str | None = None
    version_id: str | None = None
    etag: str | None = None
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands in the input of the execution."""
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Release:
        """What :meth:`to_json` wrote, in whatever version of Ovenbird; it may have known more."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in written.items() if name in known})


@dataclass(frozen=True)
class Push:
    """A push as its source tells it: what is compared with the fleet's sources, and the release.

    ``names`` has the fields that the source's part of the fleet document has: bucket and key,
    pipeline, repository and branch or tag, project. ``fleet`` is set where the push names it.
    """

    source: str
    names: Mapping[str, str] = field(hash=False)
    release: Release
    fleet: str | None = None
    dry_run: bool = False


class Sources(Protocol):
    """The ``release`` part of a fleet document; each source has the fields of ``Push.names``."""

    @property
    def events(self) -> bool: ...


def wanted(sources: Sources, push: Push) -> Release | None:
    """The release as this fleet gets it (with its artefact), or ``None`` if it does not want it."""
    if push.source == "manual":
        return push.release
    if push.source == "ovenbird":
        return push.release if sources.events else None
    source = getattr(sources, push.source)
    if source is None or not _matches(vars(source), push.names):
        return None
    return _with_artifact(push.release, getattr(source, "artifact", None))


def rollout_id(fleet: str, release: Release, *, dry_run: bool = False) -> str:
    """The rollout's id and its execution's name; the same for the same push.

    At most 62 characters (a fleet's name has 40); an execution's name may have 80.
    """
    return f"{fleet}-{'dry-' if dry_run else ''}{_hash(release.source, release.id)}"


def roll_back_id(fleet: str, request: str) -> str:
    """The id of a roll-back by hand; ``request`` is the identity of the request."""
    return f"{fleet}-back-{_hash(request)}"


def is_roll_back(fleet: str, rollout: str) -> bool:
    """Whether a rollout of the fleet is a roll-back by hand, told by its id."""
    return rollout.startswith(f"{fleet}-back-")


def key_pattern(pattern: str) -> re.Pattern[str]:
    """``*`` stands for any text (also with ``/``), ``?`` for one character, nothing else.

    What stands between two stars is looked for once, from the left: trying every other place too
    (as ``.*`` would) takes for ever with a few stars more.
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)


def _matches(source: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    for name, asked in source.items():
        if name == "artifact" or asked is None:
            continue
        seen = names.get(name, "")
        if name == "key":
            if key_pattern(asked).fullmatch(seen) is None:
                return False
        elif seen != asked:
            return False
    return True


def _with_artifact(release: Release, place: str | None) -> Release:
    if place is None:
        return release
    bucket, key = place.replace(REVISION, release.revision).removeprefix("s3://").split("/", 1)
    written = release.to_json() | {"bucket": bucket, "key": key, "version_id": None, "etag": None}
    return Release.from_json(written)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
