"""A move of an address is believed only when AWS shows it, and is made by one at a time."""

from __future__ import annotations

from typing import Any

from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.test_addresses import fails


def take_off(web: Fleet) -> str:
    """A person takes an address off its instance; nothing tells of it."""
    allocation = web.allocations[0]
    association = web.world.cloud.ec2.addresses.all[allocation].association_id
    web.world.operator("ec2", "DisassociateAddress", AssociationId=association)
    return allocation


def move(web: Fleet) -> Any:
    """Ask for it by hand, as docs/operate.md says."""
    return web.world.ask("move_address", {"fleet": "web"})


def test_a_move_that_aws_does_not_make_is_not_believed() -> None:
    with a_fleet() as web:
        allocation = take_off(web)
        web.world.cloud.faults.fail("AssociateAddress", "IncorrectInstanceState")
        assert move(web)["next"] == "wait"
        assert allocation not in web.holders
        assert move(web)["next"] == "done"
        assert web.holders[allocation] in web.serving


def test_one_that_lives_and_is_not_healthy_gives_its_address_away() -> None:
    """Before the group ends it: AWS frees the address of one that is terminated by itself."""
    with a_fleet() as web:
        allocation, holder = next(iter(web.holders.items()))
        web.forgive(but=1)
        fails(web, holder)
        web.world.run_until(lambda: holder not in web.serving)
        assert web.group.members[holder].lifecycle == "InService"
        assert move(web)["next"] == "done"
        assert web.holders[allocation] in web.serving


def test_two_do_not_move_the_same_address_to_two_places() -> None:
    """While the first one moves it, its target fails; the second one would choose another."""
    with a_fleet() as web:
        allocation = take_off(web)
        answers: list[Any] = []

        def slow(call: HandlerCall, go: Go) -> Any:
            if call.operation == "AssociateAddress" and not answers:
                target = call.params["InstanceId"]
                web.forgive(but=1)
                fails(web, target)
                web.world.run_until(lambda: target not in web.serving)
                answers.append(move(web))
                assert allocation not in web.holders
            return go()

        web.world.interference = slow
        answers.append(move(web))
        second, first = answers
        assert second["next"] == "wait"
        assert "moved by another" in second["reason"]
        assert first["next"] == "done"
        web.world.run_for(minutes=15)
        assert web.holders[allocation] in web.serving
