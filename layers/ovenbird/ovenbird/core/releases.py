"""Releases: what a team pushed, which fleets want it, and what the rollout is called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ovenbird.core import contents, requests
from ovenbird.core.orders import Rank
from ovenbird.core.sources import ReleaseSources, against

REQUESTS = ("ovenbird", "manual")
_UNDO = "_undo"


@dataclass(frozen=True)
class Release:
    """What a team pushed.

    Args:
        source: ``s3``, ``codepipeline``, ``codecommit``, ``codebuild``, ``ecr``, ``ovenbird`` or
            ``manual``.
        id: The identity of the push: the same push told twice has the same one.
        revision: What people call it: a commit, a version, an execution.
        digest: The identity of the content (:mod:`ovenbird.core.contents`): the same content pushed
            again has the same one, if it was hashed.
        at: When it was pushed, ISO 8601 in UTC.
        bucket: With ``key``, where the artefact lies; ``None`` where the install script fetches
            the code itself.
        version_id: The object's version, where the bucket keeps versions.
        etag: The object's ETag, where it is known.
        sha256: The SHA-256 sum of the object, 64 hexadecimal digits, where the push tells it.
        size: How many bytes the object has, where the push tells it.
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
    sha256: str | None = None
    size: int | None = None

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
    pipeline, repository and branch or tag, project. ``fleet`` and ``sender`` (region and account)
    are those of a request; ``rank`` is there where the event proves more of its place in the order
    than its time.
    """

    source: str
    names: Mapping[str, str] = field(hash=False)
    release: Release
    fleet: str | None = None
    dry_run: bool = False
    rank: Rank | None = None
    sender: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Unwanted:
    """Not a release of the fleet; the reason is a sentence without its point."""

    reason: str


def wanted(sources: ReleaseSources, push: Push, home: tuple[str, str]) -> Release | Unwanted:
    """The release as this fleet gets it (with its artefact), or why it does not want it.

    Args:
        home: Our region and account.
    """
    release = push.release
    if push.source in REQUESTS:
        by_hand = push.source == "manual"
        reason = None if by_hand else requests.not_from(sources, push.sender, home)
        if reason is None and release.bucket is not None and release.key is not None:
            reason = requests.not_brought(
                sources, release.bucket, release.key, release.revision, by_hand=by_hand
            )
        return release if reason is None else Unwanted(reason)
    source = sources.of(push.source)
    if source is None:
        return Unwanted(f"its document has no release.{push.source}")
    reason = against(source, push.source, push.names)
    if reason is not None:
        return Unwanted(reason)
    return _with_artifact(release, getattr(source, "artifact", None))


def rollout_id(fleet: str, release: Release, *, dry_run: bool = False) -> str:
    """The rollout's id and its execution's name; the same for the same push.

    A fleet's name has no underscore, so the dry run of one fleet is never the release of another.
    At most 62 characters (a fleet's name has 40); an execution's name may have 80.
    """
    return f"{fleet}{'_dry_' if dry_run else '-'}{_hash(release.source, release.id)}"


def roll_back_id(fleet: str, request: str, holder: str) -> str:
    """The id of a roll-back by hand.

    Args:
        request: The identity of the request.
        holder: The rollout that it stops; whoever asks again because another one rolls by now
            means that one.
    """
    return f"{fleet}_back_{_hash(request, holder)}"


def is_roll_back(fleet: str, rollout: str) -> bool:
    """Whether a rollout of the fleet is a roll-back by hand, told by its id or execution."""
    return rollout.startswith(f"{fleet}_back_")


def undo_name(rollout: str) -> str:
    """The name of the execution that undoes a rollout whose own execution has died."""
    return f"{rollout}{_UNDO}"


def rollout_of(execution: str) -> str:
    """The rollout that an execution runs or undoes, by its name."""
    return execution.removesuffix(_UNDO)


def _with_artifact(release: Release, place: str | None) -> Release:
    """The release with what lies at a place, of which nobody knows what it holds."""
    if place is None:
        return release
    there = place.replace(requests.REVISION, release.revision)
    bucket, key = there.removeprefix("s3://").split("/", 1)
    return replace(
        release,
        bucket=bucket,
        key=key,
        version_id=None,
        etag=None,
        sha256=None,
        size=None,
        digest=contents.of_push(release.id),
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
