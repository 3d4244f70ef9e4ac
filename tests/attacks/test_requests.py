"""Somebody asks for a release or a roll-back: he gets nothing that the document does not name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories import fleets
from tests.stories.asl.failures import StateFailed
from tests.stories.fleets import OLD, Fleet
from tests.stories.world import BUCKET, World, present

EVIL = "attackers-public-bucket"
Ask = Callable[..., str]


def on_the_bus(world: World, **event: Any) -> str:
    """PutEvents; the answer of whoever it reached."""
    detail = {"fleet": "web", "revision": "evil"} | event.pop("detail", {})
    world.delivery.put(
        {
            "version": "0",
            "id": world.cloud.kernel.ids.uuid(),
            "detail-type": "Release Requested",
            "source": "ovenbird",
            "account": world.cloud.kernel.account,
            "time": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": world.cloud.kernel.region,
            "resources": [],
            "detail": detail,
        }
        | event
    )
    world.run_for(minutes=1)
    last = [each for each in world.lambdas.invocations if each.function == "accept_release"][-1]
    return last.message or str(last.answer["ignored"])


def artifact_on_the_bus(world: World, bucket: str, key: str) -> str:
    return on_the_bus(world, detail={"artifact": {"bucket": bucket, "key": key}})


def by_hand(world: World, bucket: str, key: str, *, dry_run: bool = False) -> str:
    """InvokeFunction on AcceptRelease."""
    release = {"bucket": bucket, "key": key, "revision": "evil"}
    return refused(
        world, "accept_release", {"fleet": "web", "release": release, "dry_run": dry_run}
    )


def planned(world: World, bucket: str, key: str) -> str:
    """InvokeFunction on PlanRollout."""
    release = {"bucket": bucket, "key": key, "revision": "evil"}
    return refused(world, "plan_rollout", {"fleet": "web", "release": release, "dry_run": True})


def refused(world: World, function: str, payload: dict[str, Any]) -> str:
    try:
        answer = world.ask(function, payload)
    except StateFailed as failed:
        return str(json.loads(failed.cause)["errorMessage"])
    return f"accepted: {answer}"


def is_untouched(web: Fleet) -> bool:
    web.world.run_for(hours=2)
    return not web.world.rollouts and not web.images and web.revisions == {OLD: 2}


@pytest.mark.parametrize("ask", [artifact_on_the_bus, by_hand, planned])
@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        pytest.param(EVIL, "web/app.tar.gz", id="another bucket"),
        pytest.param(f"{BUCKET}-evil", "web/app.tar.gz", id="a bucket that begins like ours"),
        pytest.param(BUCKET, "uploads/app.tar.gz", id="another key"),
        pytest.param(BUCKET, "uploads/web/app.tar.gz", id="a key that ends like ours"),
        pytest.param(BUCKET, "web/app.tar.gz.sig", id="no artefact"),
        pytest.param(BUCKET, "web/app.tar.gz/", id="a folder"),
    ],
)
def test_an_artefact_that_the_document_does_not_name(ask: Ask, bucket: str, key: str) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        told = ask(world, bucket, key)
        assert f"s3://{bucket}/{key} is no artefact that a request may bring" in told
        assert is_untouched(web)


@pytest.mark.parametrize("ask", [artifact_on_the_bus, by_hand])
def test_what_requests_may_bring_can_be_less_than_what_is_pushed(ask: Ask) -> None:
    release = {
        "s3": {"bucket": BUCKET, "key": "web/*.tar.gz"},
        "events": {"artifact": f"s3://{BUCKET}/web/hotfix/*", "exclude": ["*-dev*"]},
    }
    with present() as world:
        web = fleets.make(world, size=2, addresses=0, release=release)
        for key in ("web/app.tar.gz", "web/hotfix/1-dev.tar.gz"):
            assert "release.events" in ask(world, BUCKET, key)
        assert is_untouched(web)
        ask(world, BUCKET, "web/hotfix/1.tar.gz")
        world.finish()
        assert web.revisions == {"evil": 2}


def test_the_place_of_another_revision() -> None:
    place = f"s3://{BUCKET}/web/{{revision}}.zip"
    release = {"codepipeline": {"pipeline": "web", "artifact": place}}
    with present() as world:
        web = fleets.make(world, size=2, addresses=0, release=release)
        assert "no artefact that a request may bring" in by_hand(world, BUCKET, "web/old.zip")
        assert is_untouched(web)
        by_hand(world, BUCKET, "web/evil.zip")  # the revision that it names
        assert world.rollouts


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param({"account": "999988887777"}, id="another account"),
        pytest.param({"region": "eu-west-1"}, id="another region"),
        pytest.param({"account": "999988887777", "region": "eu-west-1"}, id="both"),
    ],
)
def test_an_event_from_elsewhere(envelope: dict[str, str]) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        assert "it was sent in account" in on_the_bus(world, **envelope)
        assert is_untouched(web)


def test_an_account_that_the_document_names_brings_only_what_it_names() -> None:
    release = {
        "s3": {"bucket": BUCKET, "key": "web/*.tar.gz"},
        "events": {"accounts": ["999988887777"]},
    }
    with present() as world:
        web = fleets.make(world, size=2, addresses=0, release=release)
        detail = {"artifact": f"s3://{EVIL}/web/app.tar.gz"}
        told = on_the_bus(world, account="999988887777", detail=detail)
        assert "is no artefact that a request may bring" in told
        assert is_untouched(web)
        on_the_bus(
            world, account="999988887777", detail={"artifact": f"s3://{BUCKET}/web/1.tar.gz"}
        )
        assert world.rollouts


def test_an_event_for_a_fleet_that_listens_to_none() -> None:
    with present() as world:
        source = {"s3": {"bucket": BUCKET, "key": "web/*.tar.gz"}}
        web = fleets.make(world, size=2, addresses=0, release=source | {"events": False})
        assert "release.events is false" in on_the_bus(world)
        assert is_untouched(web)


def test_an_event_that_names_no_fleet_is_for_nobody() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        assert "detail.fleet is null" in on_the_bus(world, detail={"fleet": None})
        assert is_untouched(web)


def test_a_document_that_names_another_bucket_meanwhile_is_gone_by() -> None:
    """Between the request and its plan: what waits in a queue is judged by what is written now."""
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        web.pause("freeze")
        artifact_on_the_bus(world, BUCKET, "web/app.tar.gz")
        web.document(release={"s3": {"bucket": "acme-signed", "key": "web/*.tar.gz"}})
        web.unpause()
        assert world.finish().error == "Refused"
        assert web.revisions == {OLD: 2}


def evil_image(world: World) -> str:
    image = world.cloud.ec2.images.seed("attackers")
    world.machines.images[image] = Disk(("EVIL",))
    return image


@pytest.mark.parametrize("released", [0, 1])
def test_a_roll_back_to_any_image_of_the_account(released: int) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        for number in range(released):
            world.upload(f"release {number}")
            world.finish()
        before = dict(web.revisions)
        web.roll_back(image=evil_image(world))
        rollout = world.finish()
        assert rollout.error == "Refused"
        assert "which the fleet has not run" in rollout.cause
        assert web.revisions == before


def test_a_roll_back_to_what_was_baked_and_never_ran() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        world.machines.healthy = lambda _instance, disk: disk.revision == OLD
        world.upload("two")
        assert world.finish().error == "RollFailed"
        web.roll_back(image=web.images[0].image_id)
        assert world.finish().error == "Refused"
        assert web.revisions == {OLD: 2}


def test_a_roll_back_forward_to_what_was_rolled_back_is_allowed() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        new = world.upload("two")
        world.finish()
        web.roll_back()
        world.finish()
        assert web.revisions == {OLD: 2}
        world.run_for(minutes=2)
        web.roll_back(image=web.images[0].image_id)
        world.finish()
        assert web.revisions == {new: 2}
