"""What counts as a push: folders, signatures, caches and parts of a batch are no releases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories import fleets
from tests.stories.story import a_fleet
from tests.stories.world import BUCKET, World, present

ECR = {"ecr": {"repository": "acme/web"}}
BUILD = {"codebuild": {"project": "web"}}
IMAGE = "application/vnd.oci.image.config.v1+json"
CHART = "application/vnd.cncf.helm.config.v1+json"
CACHE = "application/vnd.buildkit.cacheconfig.v0"


def put_object(world: World, key: str, *, size: int = 5, etag: str = "e1") -> None:
    world.put_event(
        "aws.s3",
        "Object Created",
        {"bucket": {"name": BUCKET}, "object": {"key": key, "size": size, "etag": etag}},
    )


def push_image(world: World, tag: str, digit: str, media_type: str = IMAGE) -> str:
    digest = f"sha256:{digit * 64}"
    world.put_event(
        "aws.ecr",
        "ECR Image Action",
        {
            "result": "SUCCESS",
            "repository-name": "acme/web",
            "action-type": "PUSH",
            "image-tag": tag,
            "image-digest": digest,
            "artifact-media-type": media_type,
        },
    )
    return digest


def build(world: World, number: int, key: str, initiator: str) -> None:
    world.put_event(
        "aws.codebuild",
        "CodeBuild Build State Change",
        {
            "build-status": "SUCCEEDED",
            "project-name": "web",
            "build-id": f"arn:aws:codebuild:us-east-1:000000000000:build/web:{number}",
            "additional-information": {
                "artifact": {"location": f"arn:aws:s3:::{BUCKET}/{key}"},
                "source-version": f"commit-{number}",
                "initiator": initiator,
            },
        },
    )


def reasons(world: World) -> list[str]:
    """Why each push that started nothing was ignored."""
    answers = [
        each.answer for each in world.lambdas.invocations if each.function == "accept_release"
    ]
    return [each["ignored"] for each in answers if each and each["ignored"]]


@pytest.mark.parametrize(
    ("key", "size", "reason"),
    [
        pytest.param("web/2026/", 0, "is a folder", id="a folder of the console"),
        pytest.param("web/app.tar.gz/", 12, "is a folder", id="a folder with something in it"),
        pytest.param("web/2026_$folder$", 0, "is empty", id="a folder of Hadoop"),
        pytest.param("web/.keep", 0, "is empty", id="an empty object"),
    ],
)
def test_a_folder_is_no_release(key: str, size: int, reason: str) -> None:
    """aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws#552."""
    with present() as world:
        fleets.make(world, size=1, addresses=0, release={"s3": {"bucket": BUCKET, "key": "web/*"}})
        put_object(world, key, size=size)
        world.run_for(hours=1)
        assert not world.rollouts
        assert reasons(world) == [f"s3://{BUCKET}/{key} {reason}"]


def test_the_checksum_and_the_signature_beside_an_artefact_do_not_take_its_place() -> None:
    release = {"s3": {"bucket": BUCKET, "key": "web/*"}}
    with a_fleet(size=2, addresses=0, release=release) as web:
        put_object(web.world, "web/2.tar.gz", etag="two")
        for number, end in enumerate(("sha256", "asc", "sig")):
            web.world.run_for(seconds=3)
            put_object(web.world, f"web/2.tar.gz.{end}", etag=f"{number}")
        web.world.finish()
        assert web.revisions == {"two": 2}
        assert len(web.world.rollouts) == 1


def test_what_the_owner_leaves_out_is_no_release() -> None:
    source = {"bucket": BUCKET, "key": "web/*", "exclude": ["web/nightly/*", "*.json"]}
    with a_fleet(size=2, addresses=0, release={"s3": source}) as web:
        put_object(web.world, "web/nightly/9.tar.gz", etag="nightly")
        put_object(web.world, "web/manifest.json", etag="manifest")
        put_object(web.world, "web/2.tar.gz", etag="two")
        web.world.finish()
        assert web.revisions == {"two": 2}
        assert len(web.world.rollouts) == 1


@pytest.mark.parametrize("end", [".sig", ".att", ".sbom", ""])
def test_what_belongs_to_an_image_does_not_take_its_place(end: str) -> None:
    """aws/aws-cdk#13818, sigstore/cosign#807: it is pushed seconds after the image."""
    with a_fleet(size=2, addresses=0, release=ECR) as web:
        push_image(web.world, "v1", "1")
        web.world.run_for(minutes=2)
        new = push_image(web.world, "v2", "2")
        web.world.run_for(seconds=4)
        push_image(web.world, f"sha256-{'2' * 64}{end}", "f")
        web.world.finish(hours=5)
        assert web.revisions == {new: 2}
        assert len(web.world.rollouts) == 2


@pytest.mark.parametrize("media_type", [CHART, CACHE, "application/vnd.cncf.notary.signature"])
def test_charts_and_caches_are_no_images(media_type: str) -> None:
    with a_fleet(size=2, addresses=0, release=ECR) as web:
        new = push_image(web.world, "v2", "2")
        web.world.run_for(seconds=4)
        push_image(web.world, "latest", "f", media_type)
        web.world.finish(hours=5)
        assert web.revisions == {new: 2}
        assert reasons(web.world) == [
            "no fleet wants acme/web:latest from ecr (web: it is no container image but "
            f'"{media_type}"; release.ecr.media_type can name it)'
        ]


def test_tags_can_be_narrowed_by_patterns() -> None:
    source = {"repository": "acme/*", "tag": "v*", "exclude": ["*-rc*"]}
    with a_fleet(size=2, addresses=0, release={"ecr": source}) as web:
        for tag, digit in (("main", "1"), ("v3-rc1", "3"), ("v2", "2"), ("cache", "4")):
            push_image(web.world, tag, digit)
            web.world.run_for(seconds=2)
        web.world.finish()
        assert web.revisions == {f"sha256:{'2' * 64}": 2}


def test_the_builds_of_a_batch_are_no_releases_by_themselves() -> None:
    """aws/aws-cdk#22841: each of them succeeds with an artefact of its own."""
    with a_fleet(size=2, addresses=0, release=BUILD) as web:
        for number, key in enumerate(("web/app.zip", "web/docs.zip", "web/tests.zip")):
            build(web.world, number, key, f"batch-role/AWSCodeBuild-{number}")
        web.world.run_for(hours=1)
        assert not web.world.rollouts
        assert len(reasons(web.world)) == 3


def test_the_one_build_of_a_batch_that_makes_the_release_can_be_named() -> None:
    source = {"project": "web", "batch": True, "key": "*/app.zip"}
    with a_fleet(size=2, addresses=0, release={"codebuild": source}) as web:
        for number, key in enumerate(("web/app.zip", "web/docs.zip", "web/tests.zip")):
            build(web.world, number, key, f"batch-role/AWSCodeBuild-{number}")
        web.world.finish()
        assert web.revisions == {"commit-0": 2}
        assert len(web.world.rollouts) == 1


@pytest.mark.parametrize(
    ("source", "kind", "names", "wanted"),
    [
        pytest.param(
            {"repository": "web", "branch": "release/*"}, "branch", "main release/7", 1, id="branch"
        ),
        pytest.param({"repository": "web", "tag": "v*"}, "tag", "nightly v1.4.2", 1, id="tag"),
        pytest.param({"repository": "w?b", "branch": "main"}, "tag", "main v1", 0, id="no tag"),
        pytest.param(
            {"repository": "web", "branch": "*", "exclude": ["dependabot/*"]},
            "branch",
            "dependabot/pip main",
            1,
            id="all but some",
        ),
    ],
)
def test_branches_and_tags_can_be_narrowed(
    source: dict[str, Any], kind: str, names: str, wanted: int
) -> None:
    with a_fleet(size=1, addresses=0, release={"codecommit": source}) as web:
        for name in names.split():
            web.world.put_event(
                "aws.codecommit",
                "CodeCommit Repository State Change",
                {
                    "event": "referenceCreated",
                    "repositoryName": "web",
                    "referenceType": kind,
                    "referenceName": name,
                    "commitId": f"commit-of-{name}",
                },
            )
        web.world.run_for(minutes=1)
        asked = [each.whole["release"]["revision"] for each in web.world.rollouts]
        assert asked == [f"commit-of-{names.split()[-1]}"][:wanted]
        if wanted:
            web.world.finish()
