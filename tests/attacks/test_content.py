"""Identity is what was downloaded: nobody gets other bytes installed under a content's name.

The scripts of the stories are not run; what stands in them is looked at here, and run by real
shells in ``tests/unit/test_scripts.py``.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from ovenbird.core import scripts
from ovenbird.core.scripts import Artifact
from sandbox.cloud.imaginary import Ending, Script
from sandbox.cloud.machines import CommandOutcome
from tests.stories.fleets import DOCUMENT, Fleet
from tests.stories.story import a_fleet

GOOD = hashlib.md5(b"good", usedforsecurity=False).hexdigest()
DIFFERS = "download found another content: its size is 5, and the release says 4"
BUCKET = "acme-releases"


def ask(web: Fleet, **release: Any) -> None:
    """A release by hand, as whoever may invoke accept_release writes it."""
    place = {"bucket": BUCKET, "key": "web/app.tar.gz"}
    web.world.ask("accept_release", {"fleet": web.name, "release": place | release})


def downloads(web: Fleet) -> list[str]:
    """The commands that download, of every script that ran."""
    return [
        line
        for script in web.world.machines.scripts
        for line in script.lines
        if "get-object" in line
    ]


def differs_for(web: Fleet, revision: str) -> None:
    """S3 holds something else than this release says."""

    def ends(script: Script) -> Ending:
        if script.revision != revision:
            return Ending()
        outcome = CommandOutcome(1, stderr=f"\novenbird: {DIFFERS}\n")
        return Ending(timedelta(seconds=9), outcome)

    web.world.machines.ends = ends


def test_an_etag_that_is_told_beside_a_version_is_compared_too() -> None:
    """The version of evil bytes with the ETag of good ones would be good content for ever."""
    with a_fleet() as web:
        ask(web, version_id="evil", etag=GOOD, revision="evil")
        web.world.finish()
        (line,) = downloads(web)
        assert "--version-id evil" in line
        assert f"--if-match {GOOD}" in line


def test_an_event_of_s3_is_taken_at_its_word_and_no_further() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.finish()
        (line,) = downloads(web)
        assert "--version-id v1" in line
        assert f"--if-match {new}" in line


def test_what_differs_is_a_failure_with_a_name_and_nothing_is_kept_of_it() -> None:
    with a_fleet() as web:
        differs_for(web, "evil")
        ask(web, version_id="evil", etag=GOOD, revision="evil")
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert "The download found another content: its size is 5" in rollout.cause
        assert web.images == []
        assert web.is_as_before()

        good = web.world.upload("good")  # the true one is baked, and not "baked already"
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {good: 4}


@pytest.mark.parametrize(
    ("document", "owner"),
    [
        pytest.param({}, None, id="our own account"),
        pytest.param({"owner": "210987654321"}, "210987654321", id="the one that is named"),
    ],
)
def test_the_bucket_must_be_the_owners_who_was_meant(
    document: dict[str, str], owner: str | None
) -> None:
    """A bucket's name that was given up may be somebody else's today."""
    with a_fleet() as web:
        web.document(release=DOCUMENT["release"] | document, addresses={"count": 2})
        web.world.upload("two")
        web.world.finish()
        (line,) = downloads(web)
        assert f"--expected-bucket-owner {owner or web.world.cloud.kernel.account}" in line


def test_no_download_is_without_the_owner_of_the_bucket() -> None:
    lines = scripts.lines(
        Artifact(BUCKET, "k"),
        revision="r",
        fleet="web",
        environment={},
        install=[],
        verify=[],
        timeout_seconds=60,
    )
    assert [line for line in lines if "get-object" in line and "--expected-bucket-owner" in line]


@pytest.mark.parametrize(
    "release",
    [
        pytest.param({"key": "file:///etc/shadow"}, id="a key that the CLI would read"),
        pytest.param({"version_id": "fileb:///root/.ssh/id"}, id="a version"),
        pytest.param({"etag": "http://169.254.169.254/latest/meta-data"}, id="an ETag"),
    ],
)
def test_a_value_that_the_cli_would_read_launches_nothing(release: dict[str, str]) -> None:
    """It would send a file of the builder to the sender's own bucket, as part of the address."""
    with a_fleet(release={}) as web:  # a fleet that people release by hand, with any artefact
        ask(web, revision="evil", **release)
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert "which the AWS CLI would take for the name of a file" in rollout.cause
        assert web.builders == []
        assert web.is_as_before()


SUM = hashlib.sha256(b"good").hexdigest()


def test_a_sum_that_is_told_by_hand_is_compared() -> None:
    with a_fleet() as web:
        ask(web, revision="v2", sha256=SUM.upper())
        web.world.finish()
        (script,) = web.world.machines.scripts
        assert f'if [ "$sum" != {SUM} ]; then' in script.lines


def test_the_sum_of_a_build_is_compared_and_its_objects_size() -> None:
    with a_fleet(release={"codebuild": {"project": "web"}}) as web:
        location = f"arn:aws:s3:::{BUCKET}/web/app.tar.gz"
        detail = {"build-status": "SUCCEEDED", "project-name": "web"}
        detail["build-id"] = "arn:aws:codebuild:us-east-1:000000000000:build/web:1"
        artifact = {"artifact": {"location": location, "sha256sum": SUM}}
        web.world.put_event(
            "aws.codebuild",
            "CodeBuild Build State Change",
            detail | {"additional-information": artifact | {"source-version": "v2"}},
        )
        web.world.finish()
        (script,) = web.world.machines.scripts
        assert f'if [ "$sum" != {SUM} ]; then' in script.lines


def test_the_size_that_s3_tells_is_compared() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        (script,) = web.world.machines.scripts
        assert 'if [ "$size" != 3 ]; then' in script.lines


def test_a_false_version_beside_a_true_etag_gets_no_image_of_the_other() -> None:
    """Nothing is downloaded where an image is reused: the claim would never be looked at."""
    with a_fleet() as web:
        web.world.upload("good")
        web.world.finish()
        scripts_before = len(web.world.machines.scripts)
        ask(web, version_id="another", etag=GOOD, revision="another")
        web.world.finish()
        assert len(web.world.machines.scripts) == scripts_before + 1
        assert "--version-id another" in downloads(web)[-1]
        assert f"--if-match {GOOD}" in downloads(web)[-1]


def test_the_same_sum_is_the_same_content_whatever_else_is_told() -> None:
    with a_fleet() as web:
        ask(web, revision="v2", sha256=SUM)
        web.world.finish()
        web.world.run_for(minutes=2)
        ask(web, revision="v2 again", version_id="v7", sha256=SUM)
        web.world.finish()
        assert len(web.world.machines.scripts) == 1


@pytest.mark.parametrize("value", ["$(touch evil)", "';touch evil;'", "{{ssm:secret}}", "-rf"])
def test_no_value_is_more_than_an_argument(value: str) -> None:
    """What it becomes in real shells is in ``tests/unit/test_scripts.py``."""
    lines = scripts.lines(
        Artifact(value, value, version_id=value, etag=value, owner="123456789012"),
        revision=value,
        fleet="web",
        environment={},
        install=[],
        verify=[],
        timeout_seconds=60,
    )
    assert "{{" not in "\n".join(lines)
