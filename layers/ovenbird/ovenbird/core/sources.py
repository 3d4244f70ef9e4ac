"""Release sources: which pushes a fleet wants, and why a push is none of them.

Names are patterns, and ``exclude`` leaves some of what they match out again. Pure; the fields are
those of ``release`` in the fleet document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from ovenbird.core import patterns
from ovenbird.core.quotes import quoted

# What a container image's event says of its kind. The first two are what an image is made with,
# the others what a list of images for several platforms is, which has no such thing.
# Source: OCI image specification, "Media types"; Docker Image Manifest Version 2, Schema 2.
CONTAINERS = (
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
)


@dataclass(frozen=True)
class S3Source:
    """An object that is put into a bucket. ``key`` is a pattern for the whole key."""

    bucket: str
    key: str
    exclude: tuple[str, ...] = ()

    compared: ClassVar[tuple[str, ...]] = ("bucket", "key")
    called: ClassVar[tuple[str, ...]] = ("key",)


@dataclass(frozen=True)
class PipelineSource:
    """A pipeline that succeeded.

    ``artifact``: ``s3://bucket/key``, in which ``{revision}`` stands for the revision.
    """

    pipeline: str
    exclude: tuple[str, ...] = ()
    artifact: str | None = None

    compared: ClassVar[tuple[str, ...]] = ("pipeline",)
    called: ClassVar[tuple[str, ...]] = ("pipeline",)


@dataclass(frozen=True)
class CommitSource:
    """A branch that moved, a Git tag that was set, or both; ``None`` is none of them."""

    repository: str
    branch: str | None = None
    tag: str | None = None
    exclude: tuple[str, ...] = ()
    artifact: str | None = None

    compared: ClassVar[tuple[str, ...]] = ("repository", "branch", "tag")
    called: ClassVar[tuple[str, ...]] = ("branch", "tag")


@dataclass(frozen=True)
class BuildSource:
    """A build that succeeded.

    ``key`` is a pattern for the key of its artefact. ``batch`` says whether builds count that
    CodeBuild started by itself, as those of a batch.
    """

    project: str
    key: str | None = None
    batch: bool = False
    exclude: tuple[str, ...] = ()
    artifact: str | None = None

    compared: ClassVar[tuple[str, ...]] = ("project", "key")
    called: ClassVar[tuple[str, ...]] = ("project", "key")


@dataclass(frozen=True)
class ContainerSource:
    """A container image that is pushed. ``None``: any tag, and what is a container image."""

    repository: str
    tag: str | None = None
    media_type: str | None = None
    exclude: tuple[str, ...] = ()

    compared: ClassVar[tuple[str, ...]] = ("repository", "tag", "media_type")
    called: ClassVar[tuple[str, ...]] = ("tag",)


Source = S3Source | PipelineSource | CommitSource | BuildSource | ContainerSource


@dataclass(frozen=True)
class Requests:
    """What a request may bring: the event Release Requested, or a person.

    ``artifact`` is a pattern for ``s3://bucket/key``; ``None`` means what the other sources name.
    ``accounts`` may send the event beside our own.
    """

    artifact: str | None = None
    exclude: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReleaseSources:
    """Which pushes are releases of the fleet; ``None`` means none of that kind.

    Without ``events`` the event Release Requested is none; people can always ask. ``owner`` is the
    account whose buckets the artefacts lie in; ``None`` means Ovenbird's own.
    """

    s3: S3Source | None = None
    codepipeline: PipelineSource | None = None
    codecommit: CommitSource | None = None
    codebuild: BuildSource | None = None
    ecr: ContainerSource | None = None
    events: Requests | None = Requests()
    owner: str | None = None

    def of(self, kind: str) -> Source | None:
        """The source of a kind of push, as ``s3``."""
        source: Source | None = getattr(self, kind, None)
        return source

    @property
    def named(self) -> dict[str, Source]:
        """The sources that the document names, by their kind."""
        kinds = ("s3", "codepipeline", "codecommit", "codebuild", "ecr")
        return {kind: source for kind in kinds if (source := self.of(kind)) is not None}


def concerns(wanted: ReleaseSources, kind: str, names: Mapping[str, str]) -> bool:
    """Whether the bucket, pipeline, repository or project of a push is one that a fleet names.

    What is not is foreign: it concerns the fleet as little as any other event of the account.
    """
    source = wanted.of(kind)
    if source is None:
        return False
    place = source.compared[0]
    return patterns.matches(getattr(source, place), names.get(place, ""))


def may_concern(text: str, kind: str, names: Mapping[str, str]) -> bool:
    """The same of a document that cannot be read: whether its text speaks of it at all.

    A bucket is named in full; of the others there may be a pattern, so their kind is enough.
    """
    if kind == "s3":
        return names.get("bucket", "") in text
    return f'"{kind}"' in text


def against(source: Source, kind: str, names: Mapping[str, str]) -> str | None:
    """Why a push of this kind is not wanted, or ``None`` where it is.

    Args:
        kind: ``s3``, ``codepipeline`` …, as the source is called in the document.
        names: What the push is called: the fields of the source, as far as the push has them.
    """
    return next(_reasons(source, f"release.{kind}", names), None)


def _reasons(source: Source, path: str, names: Mapping[str, str]) -> Iterator[str]:
    for field in source.compared:
        asked, seen = getattr(source, field), names.get(field)
        if isinstance(source, CommitSource) and field in source.called:
            if seen is not None and asked is None:
                yield f"it is the {field} {quoted(seen)}, and {path} names no {field}"
            if seen is None:
                continue
        if asked is not None and not patterns.matches(asked, seen or ""):
            said = "it has no" if seen is None else f"its {field} is {quoted(seen)}, not a"
            yield f"{said} {field} like {quoted(asked)} ({path}.{field})"
    if isinstance(source, BuildSource) and not source.batch and names.get("batch"):
        yield f"{names['batch']}; {path}.batch lets such builds count"
    if isinstance(source, ContainerSource) and source.media_type is None:
        seen = names.get("media_type")
        if seen and seen not in CONTAINERS:
            yield f"it is no container image but {quoted(seen)}; {path}.media_type can name it"
    for field in source.called:
        seen = names.get(field)
        left_out = None if seen is None else patterns.first_match(source.exclude, seen)
        if left_out is not None:
            yield f"{path}.exclude leaves its {field} {quoted(seen)} out, by {quoted(left_out)}"
