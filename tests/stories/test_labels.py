"""A label is no identity: what lies behind a name may be other content each time it is asked for.

aws/aws-sam-cli#3870, Shippable/support#2997: a branch or a key that stayed and whose code did not.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.world import BUCKET, present

PLACE = f"s3://{BUCKET}/web/main.tar.gz"
COMMIT = "4f1c2d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d"


def requested(web: Fleet, **detail: Any) -> dict[str, Any]:
    """Asks on the bus and waits for the end; the plan of the rollout."""
    web.world.put_event("ovenbird", "Release Requested", {"fleet": "web"} | detail)
    plan: dict[str, Any] = web.world.finish().whole["plan"]
    web.world.run_for(minutes=30)
    return plan


def by_hand(web: Fleet, **release: str) -> dict[str, Any]:
    web.world.ask("accept_release", {"fleet": "web", "release": release})
    plan: dict[str, Any] = web.world.finish().whole["plan"]
    web.world.run_for(minutes=30)
    return plan


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param({"revision": "main", "artifact": PLACE}, id="a key"),
        pytest.param({"revision": "main"}, id="a branch"),
        pytest.param({"revision": COMMIT, "artifact": PLACE}, id="a commit's name beside a key"),
        pytest.param({"revision": COMMIT[:7]}, id="half a commit's name"),
        pytest.param({"revision": "v1.4.2"}, id="a version's name"),
    ],
)
def test_a_label_on_the_bus_is_baked_each_time(detail: dict[str, Any]) -> None:
    with a_fleet(size=1, addresses=0) as web:
        for _ in range(2):
            plan = requested(web, **detail)
            assert plan["next"] == "bake"
            assert "the same content" not in plan["reason"]
        assert len(web.images) == 2


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param({"revision": COMMIT}, id="a commit"),
        pytest.param(
            {
                "revision": "main",
                "artifact": {"bucket": BUCKET, "key": "web/main.tar.gz", "version_id": "v1"},
            },
            id="a version of an object",
        ),
        pytest.param(
            {
                "revision": "main",
                "artifact": {"bucket": BUCKET, "key": "web/main.tar.gz", "etag": "e1"},
            },
            id="an ETag",
        ),
    ],
)
def test_what_was_hashed_is_baked_once_and_the_answer_says_what_was_compared(
    detail: dict[str, Any],
) -> None:
    with a_fleet(size=1, addresses=0) as web:
        assert requested(web, **detail)["next"] == "bake"
        plan = requested(web, **detail)
        assert plan["result"] == "nothing-to-do"
        assert "baked from the same content (" in plan["reason"]


@pytest.mark.parametrize(
    "release", [{"bucket": BUCKET, "key": "web/main.tar.gz"}, {"revision": "main"}]
)
def test_a_label_by_hand_is_baked_each_time(release: dict[str, str]) -> None:
    with a_fleet(size=1, addresses=0) as web:
        assert [by_hand(web, **release)["next"] for _ in range(2)] == ["bake", "bake"]


def test_a_pipeline_that_is_run_again_says_nothing_of_its_content() -> None:
    release = {"codepipeline": {"pipeline": "web", "artifact": f"s3://{BUCKET}/web/latest.zip"}}
    with a_fleet(size=1, addresses=0, release=release) as web:
        for number in range(2):
            web.world.put_event(
                "aws.codepipeline",
                "CodePipeline Pipeline Execution State Change",
                {"pipeline": "web", "execution-id": f"run-{number}", "state": "SUCCEEDED"},
            )
            assert web.world.finish().whole["plan"]["next"] == "bake"
            web.world.run_for(minutes=30)


def test_a_commit_names_code_and_not_what_lies_under_a_key() -> None:
    """It is built again, or by another version of the compiler, and lies under the same key."""
    place = f"s3://{BUCKET}/web/{{revision}}.zip"
    source = {"repository": "web", "branch": "*", "artifact": place}
    with a_fleet(size=1, addresses=0, release={"codecommit": source}) as web:
        for branch in ("main", "hotfix"):
            web.world.put_event(
                "aws.codecommit",
                "CodeCommit Repository State Change",
                {
                    "event": "referenceUpdated",
                    "repositoryName": "web",
                    "referenceType": "branch",
                    "referenceName": branch,
                    "commitId": COMMIT,
                },
            )
            assert web.world.finish().whole["plan"]["next"] == "bake"
            web.world.run_for(minutes=30)


def test_a_container_tag_that_moves_is_its_digest() -> None:
    with a_fleet(size=1, addresses=0, release={"ecr": {"repository": "web"}}) as web:
        nexts = []
        for digit in "121":
            web.world.put_event(
                "aws.ecr",
                "ECR Image Action",
                {
                    "result": "SUCCESS",
                    "repository-name": "web",
                    "action-type": "PUSH",
                    "image-tag": "latest",
                    "image-digest": f"sha256:{digit * 64}",
                },
            )
            nexts.append(web.world.finish().whole["plan"]["next"])
            web.world.run_for(minutes=30)
        assert nexts == ["bake", "bake", "publish"]  # back to the first: it is there


def test_an_object_that_is_copied_onto_itself_is_nothing_to_do() -> None:
    """aws-samples/amazon-s3-checksum-verification#3."""
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        world.upload("two")
        world.finish()
        world.run_for(minutes=30)
        world.upload("two")
        plan = world.finish().whole["plan"]
        assert plan["result"] == "nothing-to-do"
        assert "baked from the same content (ETag " in plan["reason"]
