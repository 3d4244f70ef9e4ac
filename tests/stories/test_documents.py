"""A rollout reads its fleet document once, when it is planned."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.stories.fleets import DOCUMENT, OLD, Fleet
from tests.stories.story import a_fleet


def a_slip(web: Fleet) -> None:
    web.document(roll="fast")


def deleted(web: Fleet) -> None:
    web.world.operator("ssm", "DeleteParameter", Name="/ovenbird/fleets/web")


def other_scripts(web: Fleet) -> None:
    web.document(bake=DOCUMENT["bake"] | {"install": ["true"]})


@pytest.mark.parametrize("change", [a_slip, deleted, other_scripts])
@pytest.mark.parametrize("state", ["WaitForBakeSoon", "WaitForBake", "WaitForRoll"])
def test_what_changes_in_it_meanwhile_is_for_the_next_rollout(
    state: str, change: Callable[[Fleet], None]
) -> None:
    with a_fleet(addresses=2) as web:
        new = web.world.upload("two")
        web.world.run_until(
            lambda: bool(web.world.rollouts) and web.world.rollouts[0].state == state
        )
        change(web)
        assert web.world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 4}


def test_an_undo_goes_by_it_too() -> None:
    with a_fleet() as web:
        web.world.machines.healthy = lambda _instance, disk: disk.revision == OLD
        web.world.upload("two")
        web.world.run_until(
            lambda: bool(web.world.rollouts) and web.world.rollouts[0].state == "WaitForRoll"
        )
        deleted(web)
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()
