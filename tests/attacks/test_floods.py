"""Events that concern no fleet, in any number: they read next to nothing, and hide no push."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ovenbird import catalogue
from tests.stories import fleets
from tests.stories.story import a_fleet
from tests.stories.world import BUCKET, World, present

FOREIGN = "logs"


def many_fleets(world: World, number: int) -> None:
    """Documents that somebody wrote long ago."""
    world.delivery.lost.add("Parameter Store Change")
    for n in range(number):
        document = {"groups": [f"g{n}"], "release": {"s3": {"bucket": f"b-{n}", "key": "*"}}}
        world.operator(
            "ssm",
            "PutParameter",
            Name=f"/ovenbird/fleets/f{n}",
            Type="String",
            Value=json.dumps(document),
        )
    world.run_for(minutes=1)


def put_object(bucket: str, key: str, world: World) -> dict[str, Any]:
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": world.cloud.kernel.account,
        "region": world.cloud.kernel.region,
        "time": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": key}},
    }


def flood(world: World, events: int, *buckets: str) -> int:
    """The calls that they cost."""
    before = len(world.calls)
    for n in range(events):
        bucket = buckets[n % len(buckets)]
        world.ask("accept_release", put_object(bucket, f"x{n}", world))
    return len(world.calls) - before


def test_objects_of_a_foreign_bucket_read_the_documents_once() -> None:
    with present() as world:
        many_fleets(world, 200)
        assert flood(world, 10, FOREIGN) < 50


def test_it_makes_no_difference_how_many_foreign_buckets_there_are() -> None:
    with present() as world:
        many_fleets(world, 200)
        assert flood(world, 20, *(f"{FOREIGN}-{n}" for n in range(20))) < 50


def test_a_flood_of_an_hour_costs_one_reading_every_some_seconds() -> None:
    with present() as world:
        many_fleets(world, 100)
        calls = 0
        for _ in range(30):
            calls += flood(world, 10, FOREIGN)
            world.run_for(seconds=5)
        seconds = 30 * 5 + calls * 0.04
        readings = seconds / catalogue.LASTS.total_seconds() + 2
        assert calls < 300 + 12 * readings


def test_a_flood_of_requests_for_nobody_reads_the_documents_once() -> None:
    with present() as world:
        many_fleets(world, 200)
        before = len(world.calls)
        for n in range(10):
            event = put_object("", "", world) | {
                "source": "ovenbird",
                "detail-type": "Release Requested",
                "detail": {"fleet": f"nobody-{n}", "revision": "x"},
            }
            world.ask("accept_release", event)
        assert len(world.calls) - before < 70
        assert len(world.notices) == 1


def test_alarms_that_no_fleet_names_read_the_documents_once() -> None:
    with present() as world:
        many_fleets(world, 200)
        before = len(world.calls)
        for n in range(10):
            world.ask(
                "answer_alarm",
                {
                    "source": "aws.cloudwatch",
                    "detail-type": "CloudWatch Alarm State Change",
                    "detail": {"alarmName": f"other-{n}", "state": {"value": "ALARM"}},
                },
            )
        assert len(world.calls) - before < 50


@pytest.mark.parametrize("fleets_beside", [0, 50])
@pytest.mark.parametrize("seconds", [3, 15])
def test_a_document_that_is_written_in_the_flood_wants_the_next_push(
    seconds: int, fleets_beside: int
) -> None:
    """It names the very bucket of the flood, and the push comes soon after it was written."""
    with a_fleet(size=1, addresses=0) as web:
        many_fleets(web.world, fleets_beside)
        web.world.delivery.lost.clear()
        flood(web.world, 3, FOREIGN)
        web.document(release={"s3": {"bucket": FOREIGN, "key": "web/*"}})
        web.world.run_for(seconds=seconds)
        flood(web.world, 1, FOREIGN)
        web.world.delivery.put(put_object(FOREIGN, "web/2.tar.gz", web.world))
        web.world.finish()
        assert web.revisions == {"web/2.tar.gz": 1}


def test_few_documents_are_never_remembered() -> None:
    """Nothing is saved by that: a push counts that comes in the moment after the document."""
    with a_fleet(size=1, addresses=0) as web:
        flood(web.world, 3, FOREIGN)
        web.document(release={"s3": {"bucket": FOREIGN, "key": "web/*"}})
        web.world.ask("accept_release", put_object(FOREIGN, "web/2.tar.gz", web.world))
        web.world.finish()
        assert web.revisions == {"web/2.tar.gz": 1}


def test_where_the_event_of_a_change_is_lost_the_flood_hides_it_for_seconds_only() -> None:
    with a_fleet(size=1, addresses=0) as web:
        many_fleets(web.world, 50)
        flood(web.world, 3, FOREIGN)
        web.document(release={"s3": {"bucket": FOREIGN, "key": "web/*"}})
        for _ in range(5):
            web.world.run_for(seconds=5)
            flood(web.world, 1, FOREIGN)
        web.world.delivery.put(put_object(FOREIGN, "web/2.tar.gz", web.world))
        web.world.finish()
        assert web.revisions == {"web/2.tar.gz": 1}


def test_the_push_of_a_fleet_is_always_judged_by_its_document_as_it_is() -> None:
    """Also at once, and where the event of the change is lost: its bucket is not foreign."""
    with a_fleet(size=1, addresses=0) as web:
        many_fleets(web.world, 50)
        flood(web.world, 3, FOREIGN)
        web.document(release={"s3": {"bucket": BUCKET, "key": "api/*"}})
        flood(web.world, 1, BUCKET)
        web.document(release={"s3": {"bucket": BUCKET, "key": "web/*"}})
        web.world.upload("two")
        web.world.finish()
        assert len(web.world.rollouts) == 1


def test_a_flood_of_requests_that_are_refused_is_one_notice_an_hour() -> None:
    with present() as world:
        web = fleets.make(world, size=1, addresses=0)
        known = len(world.notices)
        for n in range(30):
            detail = {"fleet": "web", "revision": f"v{n}", "artifact": "s3://attackers/x.tar.gz"}
            world.put_event("ovenbird", "Release Requested", detail)
            world.run_for(seconds=20)
        assert len(world.notices) - known == 1
        world.run_for(hours=1)
        world.put_event("ovenbird", "Release Requested", detail)
        world.run_for(minutes=1)
        assert len(world.notices) - known == 2
        assert not world.rollouts
        assert web.revisions == {fleets.OLD: 1}
