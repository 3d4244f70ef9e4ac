"""What people and programs are told, word by word: plans, answers, notices, metrics."""

from __future__ import annotations

from collections import Counter

from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.test_roll_back import release


def answers_of(web: Fleet, function: str) -> list[dict[str, object]]:
    found = web.world.lambdas.invocations
    return [each.answer for each in found if each.function == function and each.answer]


def test_the_plan_of_a_group_that_is_pinned() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        plan = web.world.finish().whole["plan"]
        key = plan["bake"]["key"]
        assert plan["steps"] == [
            f"Bake ovenbird-web-{key} from {web.image}: "
            f"No image has been baked from the same content (ETag {new}) yet.",
            f"Publish a version of {web.template} from version 1 with that image.",
            "Roll the 4 instances of group web, between 100 and 125 percent of its size, "
            "with at most 1 more than now.",
            "Give each new instance 60 seconds until target group web must call it healthy, and at "
            "the end as many as the group wants.",
            "Keep 2 Elastic IPs on healthy instances all the while.",
            f"If it fails, AWS rolls back by itself to version 1 of {web.template} "
            f"({web.image}); what a release has done outside of its instances, as in a database, "
            "stays done.",
        ]


def test_the_plan_of_a_group_that_follows_an_alias() -> None:
    with a_fleet(version="$Latest", may_pin=True, roll={"pin": True}) as web:
        web.world.upload("two")
        plan = web.world.finish().whole["plan"]
        assert plan["steps"][0] == (
            "Group web follows an alias; it is pinned to version 1 of "
            f"{web.template}, which it means now."
        )
        assert sum("alias" in step for step in plan["steps"]) == 1


def test_the_plan_of_a_mixed_group_of_which_one_template_follows_an_alias() -> None:
    with a_fleet(mixed=True, version="$Default", may_pin=True, roll={"pin": True}) as web:
        new = web.world.upload("two")
        plan = web.world.finish().whole["plan"]
        assert plan["steps"][0].startswith("Group web follows an alias; it is pinned to version 1")
        assert plan["from"]["template"] == web.template
        assert web.revisions == {new: 4}


def quoted(lines: list[str]) -> tuple[list[str], str]:
    """The lines of ours, and what others wrote, which stands behind ``> ``."""
    theirs = [line for line in lines if line.startswith("> ")]
    return [line for line in lines if line not in theirs], " ".join(theirs)


def where(web: Fleet) -> list[str]:
    """Each address on its holder, as the cloud has them."""
    addresses = web.world.cloud.ec2.addresses.all
    found = {addresses[one].public_address: holder for one, holder in web.holders.items()}
    return [f"Address: {each} is on {found[each]} (healthy)" for each in sorted(found)]


def test_a_notice_of_a_release() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        rollout = web.world.finish()
        (image,) = web.images
        (notice,) = web.world.notices
        ours, theirs = quoted(notice.splitlines())
        assert "acme-releases/web/app.tar.gz" in theirs
        took = next(line for line in ours if line.startswith("Took: "))
        assert ours[0].startswith(f"Ovenbird: web runs {new[:8]}")
        assert ours[1:13] == [
            "Fleet web runs a new release.",
            "",
            f"What: release {new}",
            "Group: web, 4 instances on the new version",
            f"Image: {image.image_id} (before: {web.image}), baked for this release",
            f"Launch template: {web.template} version 2 (before: {web.template} version 1)",
            *where(web),
            took,
            f"Rollout: {rollout.name}",
            "",
            "What to do: nothing. To return to the version before, ask for a roll-back: "
            '{"action": "roll-back", "fleet": "web"}',
        ]
        assert took.endswith(" min")


def test_a_notice_of_a_failure_before_anything_was_touched() -> None:
    with a_fleet() as web:
        new = web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        web.roll_back()
        rollout = web.world.finish()
        ours, theirs = quoted(web.world.notices[-1].splitlines())
        assert "acme-releases/web/app.tar.gz" in theirs  # what it is, not only its revision
        assert "> it is slow" in theirs
        took = next(line for line in ours if line.startswith("Took: "))
        assert ours[0].endswith(" failed (Stopped)")
        assert ours[1:12] == [
            "The rollout of fleet web failed: Stopped.",
            "",
            f"What: release {new}",
            "Why: A roll-back by hand stopped the rollout:",
            "Now: The group was not touched.",
            *where(web),
            took,
            f"Rollout: {rollout.name}",
            "",
            "What to do: Nothing; a person asked for this. Release again when you are ready.",
        ]


def test_a_notice_of_a_roll_back() -> None:
    with a_fleet() as web:
        release(web, "two")
        web.roll_back()
        web.world.finish()
        ours, theirs = quoted(web.world.notices[-1].splitlines())
        assert ours[:2] == ["Ovenbird: web was rolled back", "Fleet web was rolled back."]
        assert ours[3] == "What: a roll-back by hand"
        assert ours[5].endswith("which the fleet ran before")
        assert theirs == "> it is slow"


def test_a_push_answers_no_bad_fleets_after_a_rollout_and_during_a_pause() -> None:
    """``…/image`` and ``…/paused`` lie below a fleet's document and are no fleets."""
    with a_fleet() as web:
        release(web, "two")
        web.pause("moving house")
        web.world.upload("three")
        web.world.run_for(minutes=2)
        web.unpause()
        assert web.world.finish().status == "SUCCEEDED"
        answers = answers_of(web, "accept_release")
        assert [answer["bad_fleets"] for answer in answers] == [{}, {}]
        assert [answer["counts"] for answer in answers] == [{"BadFleets": 0}, {"BadFleets": 0}]


def test_a_push_that_no_fleet_wants_says_so() -> None:
    with a_fleet() as web:
        web.world.upload("two", key="other/app.tar.gz")
        web.world.run_for(minutes=1)
        (answer,) = answers_of(web, "accept_release")
        assert answer["accepted"] == []
        assert answer["ignored"] == (
            "no fleet wants s3://acme-releases/other/app.tar.gz from s3 (web: its key is "
            '"other/app.tar.gz", not a key like "web/*.tar.gz" (release.s3.key))'
        )
        assert answer["reason"] == f"ignored: {answer['ignored']}."


def test_who_is_woken_is_counted() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        rollout = web.world.finish()
        counted: Counter[str] = Counter()
        for answer in answers_of(web, "ring_doorbell"):
            counts = answer.get("counts", {})
            assert isinstance(counts, dict)
            counted.update(counts)
        woken = [event for event in rollout.history if event.kind == "TaskSucceeded"]
        waited = [event for event in woken if event.state.startswith("WaitFor")]
        assert counted["Woken"] == len(waited) > 0


def test_a_doorbell_that_rings_says_which_and_what_came_of_it() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.finish()
        reasons = [str(answer["reason"]) for answer in answers_of(web, "ring_doorbell")]
        (image,) = web.images
        assert f"Rang {image.image_id}: woken." in reasons
        assert any(reason.startswith("Rang i-") for reason in reasons)
