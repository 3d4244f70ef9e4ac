"""A bad fleet document is no silence: it is told when it is written, and when it costs a push."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stories import fleets
from tests.stories.asl.failures import StateFailed
from tests.stories.fleets import DOCUMENT, OLD, Fleet
from tests.stories.story import a_fleet
from tests.stories.world import World, present

TYPO = {"groups": ["web"], "release": {"s3": {"bucket": "acme-releases", "keys": "web/*"}}}


def write(world: World, document: Any, name: str = "web", kind: str = "String") -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    world.operator(
        "ssm",
        "PutParameter",
        Name=f"/ovenbird/fleets/{name}",
        Type=kind,
        Overwrite=True,
        Value=text,
    )
    world.run_for(seconds=5)


def about_documents(world: World) -> list[str]:
    return [each for each in world.notices if "its document is wrong" in each]


def asked(world: World, **payload: Any) -> str:
    """By hand; the sentence that comes back."""
    try:
        return str(world.ask("accept_release", payload))
    except StateFailed as failed:
        return str(json.loads(failed.cause)["errorMessage"])


def requested(world: World, fleet: str) -> None:
    detail = {"fleet": fleet, "revision": "v2", "description": "main is green"}
    world.put_event("ovenbird", "Release Requested", detail)
    world.run_for(minutes=1)


def test_it_is_told_when_it_is_written_with_every_mistake() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, TYPO | {"rol": {}, "addresses": {"count": -1}})
        (notice,) = about_documents(world)
        assert "- release.s3.key is missing; it must be there." in notice
        assert "- release.s3.keys is not known here (did you mean key?)" in notice
        assert "- rol is not known here (did you mean roll?)" in notice
        assert "- addresses.count is -1; it must be at least 0." in notice
        assert "Why: 4 mistakes in /ovenbird/fleets/web" in notice


def test_the_first_push_that_it_costs_is_told_and_counted_and_the_next_ones_are_not() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, TYPO)
        for number in range(5):
            world.upload(f"release {number}")
            world.run_for(minutes=1)
        written, cost = about_documents(world)
        assert "will be passed over" in written
        assert "was passed over" in cost
        assert "> s3[:]//acme-releases/web/app.tar.gz" in cost
        assert "release again: what was passed over does not come by itself" in cost
        counts = [
            each.answer["counts"]["BadFleets"]
            for each in world.lambdas.invocations
            if each.function == "accept_release"
        ]
        assert counts == [1] * 5
        assert not world.rollouts


def test_another_mistake_is_told_for_itself() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, TYPO)
        write(world, TYPO | {"rol": {}})
        write(world, TYPO)
        assert len(about_documents(world)) == 3


def test_a_mistake_that_was_corrected_and_comes_back_is_told_again() -> None:
    with present() as world:
        web = fleets.make(world, size=1, addresses=0)
        write(world, TYPO)
        write(world, TYPO)
        assert len(about_documents(world)) == 1
        web.document()
        world.run_for(seconds=5)
        write(world, TYPO)
        assert len(about_documents(world)) == 2


def test_while_it_stays_wrong_people_are_told_once_a_day() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        world.delivery.lost.add("Parameter Store Change")
        write(world, TYPO)
        for hours in (1, 1, 23, 1):
            world.upload("two")
            world.run_for(hours=hours)
        assert len(about_documents(world)) == 2


def test_it_does_not_hold_up_the_other_fleets() -> None:
    with a_fleet(size=2, addresses=0) as web:
        write(web.world, TYPO, "api")
        new = web.world.upload("two")
        web.world.finish()
        assert web.revisions == {new: 2}
        assert [each.splitlines()[0] for each in about_documents(web.world)] == [
            "Ovenbird: api: its document is wrong, a push will be passed over",
            "Ovenbird: api: its document is wrong, a push was passed over",
        ]


def test_a_push_that_it_cannot_have_wanted_costs_nobody_a_mail() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        world.delivery.lost.add("Parameter Store Change")
        write(world, TYPO)
        detail = {"bucket": {"name": "logs"}, "object": {"key": "x", "size": 1, "etag": "e"}}
        world.put_event("aws.s3", "Object Created", detail)
        world.run_for(minutes=1)
        assert about_documents(world) == []
        assert world.lambdas.invocations[-1].answer["bad_fleets"].keys() == {"web"}


def test_what_is_encrypted_is_refused_in_one_sentence() -> None:
    """GetParameter without decryption answers the cipher text."""
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, DOCUMENT, kind="SecureString")
        world.upload("two")
        world.run_for(minutes=1)
        assert not world.rollouts
        sentence = "its parameter is a SecureString; it must be a String"
        assert [sentence in each for each in about_documents(world)] == [True, True]
        assert sentence in asked(world, fleet="web", release={"revision": "two"})


def test_a_pause_that_is_encrypted_is_a_pause_all_the_same() -> None:
    with a_fleet(size=1, addresses=0) as web:
        web.world.operator(
            "ssm",
            "PutParameter",
            Name="/ovenbird/fleets/web/paused",
            Type="SecureString",
            Value="freeze",
        )
        web.world.upload("two")
        web.world.run_for(minutes=5)
        assert "does not decrypt" in web.world.rollouts[0].whole["plan"]["reason"]
        web.unpause()
        web.world.finish()


def test_a_field_that_stands_twice_is_refused() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, '{"groups": ["web"], "roll": {}, "roll": {"pin": true}}')
        assert "- roll stands twice; it must be there once." in about_documents(world)[0]


def test_a_request_by_hand_for_a_fleet_that_does_not_exist_names_the_one_that_was_meant() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        told = asked(world, fleet="wbe", release={"revision": "v2"})
        assert told == (
            "There is no fleet wbe: put its document into the parameter /ovenbird/fleets/wbe. "
            "Did you mean web?"
        )
        assert "Did you mean" not in asked(world, fleet="search", release={"revision": "v2"})


def test_a_request_on_the_bus_for_a_fleet_that_does_not_exist_is_told() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        for _ in range(3):
            requested(world, "wbe")
        (notice,) = world.notices
        assert "a fleet that does not exist" in notice
        assert "Did you mean web?" in notice
        assert "> main is green" in notice
        answers = [e.answer for e in world.lambdas.invocations if e.function == "accept_release"]
        assert [each["counts"]["RefusedRequests"] for each in answers] == [1, 1, 1]
        assert world.delivery.dead == []


def test_a_flood_of_requests_for_fleets_that_do_not_exist_is_one_notice() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        for number in range(20):
            requested(world, f"fleet-{number}")
        requested(world, "x" * 1000)
        requested(world, "Web")
        assert len(world.notices) == 1


def test_a_request_for_a_fleet_whose_document_is_wrong_is_told_with_its_mistakes() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        write(world, TYPO)
        requested(world, "web")
        assert "did you mean key?" in about_documents(world)[1]
        assert len(world.notices) == 2


def test_killed_before_the_notice_it_is_told_by_the_repetition() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        world.delivery.lost.add("Parameter Store Change")
        write(world, TYPO)
        before = len(world.calls)
        world.kill = ("before", before + 4)  # changes, documents, claim; then the topic
        world.upload("two")
        world.run_for(minutes=10)
        assert world.killed
        assert world.calls[before + 3].operation == "Publish"
        assert len(about_documents(world)) == 1


def checked(world: World, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.ask("check_fleet", payload)
    return answer


@pytest.mark.parametrize("as_text", [True, False])
def test_a_document_can_be_checked_before_it_is_stored(as_text: bool) -> None:
    with present() as world:
        document: Any = json.dumps(TYPO) if as_text else TYPO
        answer = checked(world, fleet="new", document=document)
        assert not answer["good"]
        assert [each.split(" ")[0] for each in answer["mistakes"]] == [
            "release.s3.key",
            "release.s3.keys",
        ]
        answer = checked(world, fleet="new", document=DOCUMENT)
        assert answer["good"]
        assert answer["reason"] == (
            "Fleet new: its document is good; its releases come by release.s3."
        )
        assert world.notices == []
        assert world.calls == []


def test_the_document_that_is_stored_can_be_checked() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        assert checked(world, fleet="web")["good"]
        write(world, TYPO)
        assert len(checked(world, fleet="web")["mistakes"]) == 2
        with pytest.raises(StateFailed, match="NotFound"):
            checked(world, fleet="api")


def test_a_document_that_is_deleted_is_no_mistake() -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        world.operator("ssm", "DeleteParameter", Name="/ovenbird/fleets/web")
        world.run_for(seconds=5)
        assert world.notices == []
        assert "has no document any more" in world.lambdas.invocations[-1].answer["reason"]


@pytest.mark.parametrize("name", ["web/paused", "web/image"])
def test_other_parameters_of_a_fleet_are_no_documents(name: str) -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        before = [each.function for each in world.lambdas.invocations].count("check_fleet")
        write(world, "freeze", name)
        after = [each.function for each in world.lambdas.invocations].count("check_fleet")
        assert before == after


def test_a_rollout_that_runs_is_none_of_its_business() -> None:
    with a_fleet(size=2, addresses=0) as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        write(web.world, TYPO)
        web.world.finish()
        assert web.revisions == {new: 2}


def tried(web: Fleet, event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = web.world.ask("accept_release", {"dry_run": True, "event": event})
    web.world.run_for(hours=1)
    assert not web.world.rollouts
    assert web.revisions == {OLD: web.group.desired}
    return answer


def object_created(world: World, key: str, size: int = 5) -> dict[str, Any]:
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "account": world.cloud.kernel.account,
        "region": world.cloud.kernel.region,
        "detail": {
            "bucket": {"name": "acme-releases"},
            "object": {"key": key, "size": size, "etag": "e1"},
        },
    }


def test_an_event_can_be_tried() -> None:
    with a_fleet(size=1, addresses=0) as web:
        other = {"groups": ["api"], "release": {"ecr": {"repository": "api"}}}
        write(web.world, other, "api")
        write(web.world, TYPO, "typo")
        answer = tried(web, object_created(web.world, "web/2.tar.gz"))
        (would,) = answer["would_release"]
        assert (would["fleet"], would["release"]["key"]) == ("web", "web/2.tar.gz")
        assert would["release"]["digest"] == "etag:e1"
        assert answer["would_not"].keys() == {"api", "typo"}
        assert answer["would_not"]["api"] == "its document has no release.s3"
        assert "did you mean key?" in answer["would_not"]["typo"]


@pytest.mark.parametrize(
    ("key", "size", "reason"),
    [
        pytest.param("web/2.zip", 5, 'its key is "web/2.zip", not a key like', id="its pattern"),
        pytest.param("web/2.tar.gz.sha256", 5, "not a key like", id="a checksum"),
        pytest.param("web/2.tar.gz/", 0, "is a folder", id="a folder"),
    ],
)
def test_why_an_event_would_start_nothing_is_told(key: str, size: int, reason: str) -> None:
    with a_fleet(size=1, addresses=0) as web:
        answer = tried(web, object_created(web.world, key, size))
        assert not answer.get("would_release")
        assert reason in (answer["ignored"] + str(answer.get("would_not")))


def test_a_request_can_be_tried() -> None:
    with a_fleet(size=1, addresses=0) as web:
        event = object_created(web.world, "") | {
            "source": "ovenbird",
            "detail-type": "Release Requested",
            "detail": {"fleet": "wbe", "revision": "v2"},
        }
        assert "Did you mean web?" in tried(web, event)["would_not"]["wbe"]
        event["detail"] = {"fleet": "web", "revision": "v2", "artifact": "s3://other/web.tar.gz"}
        assert "no artefact that a request may bring" in tried(web, event)["would_not"]["web"]
        assert web.world.notices == []


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        pytest.param({"event": {"source": "aws.s3"}}, "dry_run is null", id="not dry"),
        pytest.param({"event": {}, "dry_run": True}, "event is {}; it must be", id="no event"),
        pytest.param(
            {"event": {"source": "aws.s3"}, "dry_run": True, "fleet": "web"},
            "fleet is not known here",
            id="a field too many",
        ),
    ],
)
def test_what_is_no_trial_is_refused(payload: dict[str, Any], sentence: str) -> None:
    with present() as world:
        fleets.make(world, size=1, addresses=0)
        assert sentence in asked(world, **payload)
