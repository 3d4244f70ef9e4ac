"""What a fleet makes of a push, and what its rollouts are called."""

from __future__ import annotations

import re
from dataclasses import replace

from ovenbird.core import releases
from ovenbird.core.releases import Push, Release, Unwanted
from ovenbird.core.sources import BuildSource, CommitSource, ReleaseSources, Requests, S3Source

HOME = ("eu-west-1", "111122223333")
RELEASE = Release("s3", "b/k@1", "r1", "etag:d1", "2026-01-05T09:00:00+00:00", "b", "k", "v", "e")
S3 = ReleaseSources(s3=S3Source("b", "web/*.tar.gz"))
COMMIT = ReleaseSources(
    codecommit=CommitSource("web", "main", artifact="s3://b/web-{revision}.tar.gz")
)


def push(source: str, **names: str) -> Push:
    return Push(source, names, replace(RELEASE, source=source))


def reason(sources: ReleaseSources, pushed: Push) -> str:
    answer = releases.wanted(sources, pushed, HOME)
    return answer.reason if isinstance(answer, Unwanted) else ""


def test_an_object_that_the_document_names_is_a_release() -> None:
    pushed = push("s3", bucket="b", key="web/1.tar.gz")
    assert releases.wanted(S3, pushed, HOME) == pushed.release


def test_a_source_that_the_document_does_not_name_is_told() -> None:
    assert reason(S3, push("codebuild", project="web")) == "its document has no release.codebuild"


def test_a_source_that_does_not_match_is_told() -> None:
    pushed = push("s3", bucket="b", key="web/1.zip")
    assert reason(S3, pushed) == (
        'its key is "web/1.zip", not a key like "web/*.tar.gz" (release.s3.key)'
    )


def test_the_artifact_lies_where_the_document_says() -> None:
    release = releases.wanted(COMMIT, push("codecommit", repository="web", branch="main"), HOME)
    assert isinstance(release, Release)
    assert (release.bucket, release.key) == ("b", "web-r1.tar.gz")
    assert (release.version_id, release.etag) == (None, None)
    assert release.id == RELEASE.id


def test_what_lies_where_the_document_says_was_not_hashed() -> None:
    """A place is a label: the commit, or the sum of another artefact, says nothing of it."""
    release = releases.wanted(COMMIT, push("codecommit", repository="web", branch="main"), HOME)
    assert isinstance(release, Release)
    assert release.digest == f"push:{RELEASE.id}"


def test_without_one_it_lies_where_the_push_says() -> None:
    sources = ReleaseSources(codebuild=BuildSource("web"))
    release = releases.wanted(sources, push("codebuild", project="web"), HOME)
    assert release == replace(RELEASE, source="codebuild")


def test_a_request_is_compared_with_what_may_be_brought() -> None:
    asked = replace(push("ovenbird"), fleet="web", sender=HOME)
    assert reason(S3, asked).startswith("s3://b/k is no artefact that a request may bring")
    allowed = replace(S3, events=Requests(artifact="s3://b/k*"))
    assert releases.wanted(allowed, asked, HOME) == asked.release


def test_a_request_from_elsewhere_is_not_looked_into() -> None:
    asked = replace(push("ovenbird"), fleet="web", sender=("eu-west-1", "999988887777"))
    allowed = replace(S3, events=Requests(artifact="s3://b/k*"))
    assert reason(allowed, asked).startswith("it was sent in account 999988887777")


def test_the_same_push_has_the_same_rollout_and_fits_an_execution_name() -> None:
    fleet = "x" * 40
    names = {
        releases.rollout_id(fleet, RELEASE),
        releases.rollout_id(fleet, replace(RELEASE, at="2027-01-01T00:00:00+00:00")),
        releases.rollout_id(fleet, replace(RELEASE, id="other")),
        releases.rollout_id(fleet, RELEASE, dry_run=True),
        releases.roll_back_id(fleet, RELEASE.id, ""),
        releases.roll_back_id(fleet, RELEASE.id, "web-1"),
    }
    assert len(names) == 5
    assert all(re.fullmatch(r"[a-z0-9_-]{1,80}", name) for name in names)
    assert all(len(releases.undo_name(name)) <= 80 for name in names)


def test_no_fleet_is_called_so_that_its_ids_are_those_of_another_one() -> None:
    for other in ("web-dry", "web-back", "web-undo"):
        theirs = {releases.rollout_id(other, RELEASE), releases.roll_back_id(other, "x", "")}
        for dry_run in (False, True):
            ours = releases.rollout_id("web", RELEASE, dry_run=dry_run)
            assert not {ours, releases.undo_name(ours)} & theirs
            assert not releases.is_roll_back("web", ours)
        assert not any(releases.is_roll_back("web", each) for each in theirs)


def test_the_undo_of_a_rollout_is_known_by_its_name() -> None:
    rollout = releases.rollout_id("web", RELEASE)
    assert releases.rollout_of(releases.undo_name(rollout)) == rollout
    assert releases.rollout_of(rollout) == rollout


def test_a_roll_back_is_known_by_its_id() -> None:
    assert releases.is_roll_back("web", releases.roll_back_id("web", "x", ""))
    assert not releases.is_roll_back("web", releases.rollout_id("web", RELEASE))
    assert not releases.is_roll_back("web-back", releases.rollout_id("web-back", RELEASE))


def test_a_release_survives_its_json() -> None:
    assert Release.from_json(RELEASE.to_json()) == RELEASE
