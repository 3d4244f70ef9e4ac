"""Which fleets want a push, and what their rollouts are called."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import releases
from ovenbird.core.releases import Push, Release
from ovenbird.fleet import (
    BuildSource,
    CommitSource,
    ContainerSource,
    PipelineSource,
    ReleaseSources,
    S3Source,
)

RELEASE = Release("s3", "b/k@1", "r1", "d1", "2026-01-05T09:00:00+00:00", "b", "k", "v", "e")
S3 = ReleaseSources(s3=S3Source("b", "web/*.tar.gz"))
COMMIT = ReleaseSources(codecommit=CommitSource("web", "main", "s3://b/web-{revision}.tar.gz"))


def push(source: str, **names: str) -> Push:
    return Push(source, names, replace(RELEASE, source=source))


@pytest.mark.parametrize(
    ("sources", "pushed", "wants"),
    [
        pytest.param(S3, push("s3", bucket="b", key="web/1.tar.gz"), True, id="object"),
        pytest.param(S3, push("s3", bucket="b", key="web/a/b.tar.gz"), True, id="deeper"),
        pytest.param(S3, push("s3", bucket="c", key="web/1.tar.gz"), False, id="other bucket"),
        pytest.param(S3, push("s3", bucket="b", key="web/1.zip"), False, id="other key"),
        pytest.param(S3, push("s3", bucket="b", key="x/web/1.tar.gz"), False, id="key within"),
        pytest.param(S3, push("codebuild", project="web"), False, id="other source"),
        pytest.param(
            ReleaseSources(codepipeline=PipelineSource("web")),
            push("codepipeline", pipeline="web"),
            True,
            id="pipeline",
        ),
        pytest.param(
            ReleaseSources(codepipeline=PipelineSource("web")),
            push("codepipeline", pipeline="api"),
            False,
            id="other pipeline",
        ),
        pytest.param(
            COMMIT, push("codecommit", repository="web", branch="main"), True, id="branch"
        ),
        pytest.param(
            COMMIT, push("codecommit", repository="web", branch="x"), False, id="other branch"
        ),
        pytest.param(
            ReleaseSources(codebuild=BuildSource("web")),
            push("codebuild", project="web"),
            True,
            id="build",
        ),
        pytest.param(
            ReleaseSources(ecr=ContainerSource("web")),
            push("ecr", repository="web", tag="x"),
            True,
            id="any tag",
        ),
        pytest.param(
            ReleaseSources(ecr=ContainerSource("web", "release")),
            push("ecr", repository="web", tag="x"),
            False,
            id="other tag",
        ),
        pytest.param(ReleaseSources(), push("ovenbird"), True, id="requested"),
        pytest.param(ReleaseSources(events=False), push("ovenbird"), False, id="not requested"),
        pytest.param(ReleaseSources(events=False), push("manual"), True, id="by hand"),
        pytest.param(ReleaseSources(), push("s3", bucket="b", key="k"), False, id="names nothing"),
    ],
)
def test_who_wants_it(sources: ReleaseSources, pushed: Push, wants: bool) -> None:
    assert (releases.wanted(sources, pushed) is not None) == wants


def test_the_artifact_lies_where_the_document_says() -> None:
    release = releases.wanted(COMMIT, push("codecommit", repository="web", branch="main"))
    assert release is not None
    assert (release.bucket, release.key) == ("b", "web-r1.tar.gz")
    assert (release.version_id, release.etag) == (None, None)
    assert (release.id, release.digest) == (RELEASE.id, RELEASE.digest)


def test_without_one_it_lies_where_the_push_says() -> None:
    sources = ReleaseSources(codebuild=BuildSource("web"))
    release = releases.wanted(sources, push("codebuild", project="web"))
    assert release == replace(RELEASE, source="codebuild")


@given(key=st.text(max_size=20), rest=st.text(max_size=5))
def test_a_key_without_signs_matches_itself_alone(key: str, rest: str) -> None:
    literal = re.sub(r"[*?]", "", key)
    assert releases.key_pattern(literal).fullmatch(literal)
    assert bool(releases.key_pattern(literal).fullmatch(literal + rest)) == (not rest)
    assert releases.key_pattern(literal + "*").fullmatch(literal + rest)


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        pytest.param("?.zip", "a.zip", True, id="one character"),
        pytest.param("?.zip", "ab.zip", False, id="not two"),
        pytest.param("[ab]", "a", False, id="brackets are no signs"),
        pytest.param("*", "a\nb", True, id="any text"),
    ],
)
def test_signs_in_a_key(pattern: str, key: str, matches: bool) -> None:
    assert bool(releases.key_pattern(pattern).fullmatch(key)) == matches


def test_the_same_push_has_the_same_rollout_and_fits_an_execution_name() -> None:
    fleet = "x" * 40
    names = {
        releases.rollout_id(fleet, RELEASE),
        releases.rollout_id(fleet, replace(RELEASE, at="2027-01-01T00:00:00+00:00")),
        releases.rollout_id(fleet, replace(RELEASE, id="other")),
        releases.rollout_id(fleet, RELEASE, dry_run=True),
        releases.roll_back_id(fleet, RELEASE.id),
    }
    assert len(names) == 4
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", name) for name in names)


def test_a_roll_back_is_known_by_its_id() -> None:
    assert releases.is_roll_back("web", releases.roll_back_id("web", "x"))
    assert not releases.is_roll_back("web", releases.rollout_id("web", RELEASE))
    assert not releases.is_roll_back("web-back", releases.rollout_id("web-back", RELEASE))


def test_a_release_survives_its_json() -> None:
    assert Release.from_json(RELEASE.to_json()) == RELEASE
