"""What belongs to somebody else is left alone, also when it comes in our way at the last moment."""

from __future__ import annotations

from typing import Any

from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.test_addresses import stranger


def image_of_a_stranger(web: Fleet, name: str) -> str:
    """Somebody else makes an image of that name in the same account."""
    instance = stranger(web.world, web)
    answer = web.world.operator("ec2", "CreateImage", InstanceId=instance, Name=name, NoReboot=True)
    return str(answer["ImageId"])


def test_an_image_with_our_name_that_somebody_else_made_is_not_rolled() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_for(seconds=5)
        name = web.world.rollouts[0].whole["plan"]["bake"]["name"]
        theirs = image_of_a_stranger(web, name)
        rollout = web.world.finish()
        assert rollout.error == "BakeFailed"
        assert theirs in rollout.cause
        assert web.is_as_before()
        assert not web.tags(theirs)


def test_an_address_that_goes_to_a_stranger_while_it_is_moved_stays_there() -> None:
    """Between the decision and the move a person gives it to an instance of another fleet."""
    with a_fleet(addresses=1) as web:
        other = stranger(web.world, web)
        (allocation,) = web.allocations
        given: list[str] = []

        def gives_away(call: HandlerCall, go: Go) -> Any:
            key = call.params.get("Key", {}).get("pk", {}).get("S", "")
            if key == f"address#{allocation}" and not given:
                given.append(web.holders[allocation])
                web.world.operator(
                    "ec2",
                    "AssociateAddress",
                    AllocationId=allocation,
                    InstanceId=other,
                    AllowReassociation=True,
                )
                web.forgive()
            return go()

        web.world.interference = gives_away
        new = web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert given
        assert web.holders[allocation] == other
        assert web.revisions == {new: 4}
