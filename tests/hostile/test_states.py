"""Every step of a rollout with states that no state machine would pass to it.

The states are those of a rollout that fails while its group is rolled, told by itself. What is
wrong in them is drawn from the schema that the steps are checked against.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from ovenbird import schema
from ovenbird.core import seals
from ovenbird.events.rollout import state_schema
from ovenbird.fleet import NAME
from tests.hostile.mutations import Path, at, nested, paths, put, spoilt, values, without
from tests.hostile.witness import PAYLOAD, SECRET, Outcome, Witness, standing_still
from tests.stories import fleets
from tests.stories.world import World, present

EXAMPLES = hypothesis_settings.get_profile("hostile")
STEPS = (
    "plan_rollout",
    "bake_image",
    "publish_template",
    "roll_group",
    "move_address",
    "settle_rollout",
    "undo_rollout",
)
NEEDED = {
    "plan_rollout": ["fleet", "action", "release"],
    "bake_image": [
        "release",
        "plan.fence",
        "plan.document",
        "plan.base",
        "plan.bake.key",
        "plan.from",
    ],
    "publish_template": ["plan.fence", "plan.from", "plan.from.image", "bake.image"],
    "roll_group": [
        "plan.fence",
        "plan.document",
        "plan.group",
        "plan.from",
        "plan.began",
        "version",
        "version.targets",
    ],
    "move_address": ["fleet", "plan.fence", "plan.document", "plan.group"],
    "settle_rollout": ["plan.fence", "plan.reason", "plan.from", "version", "bake.image"],
    "undo_rollout": ["fleet", "rollout", "execution", "failure", "plan.fence"],
}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """A world that stands still while a group is rolled; the rollout holds its fleet's lane."""
    with present() as world:
        web = fleets.make(world)
        world.upload("two")
        world.run_until(lambda: bool(web.refreshes))
        world.run_for(seconds=30)
        with standing_still(world) as witness:
            yield witness


@pytest.fixture(scope="module")
def whole(witness: Witness) -> dict[str, Any]:
    """The state of the rollout, with an answer of every step that answers something."""
    (rollout,) = witness.world.rollouts
    state: dict[str, Any] = copy.deepcopy(rollout.whole)
    since = state["plan"]["began"]
    refresh = witness.world.cloud.autoscaling.groups["web"].refreshes[0].refresh_id
    state["roll"] = {"refresh": refresh, "percent": 0, "percent_before": 0, "given_up": ""}
    state["roll"] |= {"percent_since": since, "remaining": 4}
    state["bake"] |= {"doorbell": state["bake"]["image"], "builder_since": since}
    state["addresses"] = {"since": since}
    state["undo"] = {"since": since, "irreversible": False, "doorbell": refresh}
    state["failure"] = {"Error": "RollFailed", "Cause": '{"errorMessage": "It failed."}'}
    seal(witness.world, state)
    assert schema.first_error(state_schema(), state) is None
    return state


def seal(world: World, state: dict[str, Any]) -> None:
    """As if the steps had answered the state so."""
    parts = [part for part in (seals.PLAN, *seals.LATER) if part in state]
    sealed = {part: {"L": [{"S": seals.carried(state, part)}]} for part in parts}
    world.integrate(
        "dynamodb",
        "UpdateItem",
        {
            "TableName": world.deployment.table,
            "Key": {"pk": {"S": f"lane#{state['fleet']}"}},
            "UpdateExpression": "SET #s = :s",
            "ExpressionAttributeNames": {"#s": "seals"},
            "ExpressionAttributeValues": {":s": {"M": sealed}},
        },
    )


def path_of(field: str) -> Path:
    return tuple(field.split("."))


@pytest.mark.parametrize("step", STEPS)
def test_takes_the_state_as_it_is(witness: Witness, whole: dict[str, Any], step: str) -> None:
    outcome = witness.ask(step, whole)
    assert not outcome.ignored, outcome
    if step == "settle_rollout":  # the state is good, but the roll has not ended
        assert outcome.failure == "NotYetVisible", outcome
        outcome = at_the_end_of_the_roll(witness, whole)
        assert outcome.change is not None
    assert not outcome.refused, outcome


def at_the_end_of_the_roll(witness: Witness, whole: dict[str, Any]) -> Outcome:
    """What SettleRollout says once AWS has saved the version in the group."""
    group = witness.world.cloud.autoscaling.groups["web"]
    (refresh,) = group.refreshes
    assert refresh.desired is not None
    with mock.patch.object(group, "saved", refresh.desired):
        return witness.ask("settle_rollout", whole)


@pytest.mark.parametrize("step", STEPS)
def test_spoilt_states(witness: Witness, whole: dict[str, Any], step: str) -> None:
    @hypothesis_settings(EXAMPLES, max_examples=150)
    @given(spoilt(whole))
    def ask(state: Any) -> None:
        witness.ask(step, state)

    ask()


@pytest.mark.parametrize("step", STEPS)
def test_what_the_schema_forbids_is_refused_by_its_name(
    witness: Witness, whole: dict[str, Any], step: str
) -> None:
    used = {"rollout", "fleet", "action", "execution", "failure"}
    fields = [path for path in paths(whole) if step != "undo_rollout" or path[0] in used]

    @hypothesis_settings(EXAMPLES, max_examples=8)
    @given(values)
    def ask(value: Any) -> None:
        for path in fields:
            state = put(whole, path, value)
            wrong = schema.first_error(state_schema(), json.loads(json.dumps(state)))
            if wrong is not None:
                outcome = witness.ask(step, state)
                assert refused(outcome) == wrong
                assert wrong.startswith(str(path[0]))
                assert outcome.change is None

    ask()


@pytest.mark.parametrize(
    ("step", "field"), [(step, field) for step in STEPS for field in NEEDED[step]]
)
def test_what_a_step_needs_must_be_there(
    witness: Witness, whole: dict[str, Any], step: str, field: str
) -> None:
    state = without(whole, path_of(field))
    if field == "bake.image":
        state["plan"]["image"] = None
        seal(witness.world, state)
    outcome = witness.ask(step, state)
    seal(witness.world, whole)
    assert field in refused(outcome), outcome
    assert outcome.change is None


def refused(outcome: Outcome) -> str:
    """The sentence; the undo answers it, because nothing comes after that could undo it."""
    if outcome.ignored:
        return f"{outcome.answer['ignored']}."
    return outcome.message if outcome.failure == "BadEvent" else ""


@pytest.mark.parametrize("step", STEPS[1:6])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("rollout", "web-of-somebody-else", id="another rollout"),
        pytest.param("fleet", "nobody", id="another fleet"),
        pytest.param("plan.fence", 99, id="a fence of the future"),
    ],
)
def test_who_it_is_must_be_true(
    witness: Witness, whole: dict[str, Any], step: str, field: str, value: Any
) -> None:
    state = put(whole, path_of(field), value)
    state["execution"]["name"] = state["rollout"]
    outcome = witness.ask(step, state)
    assert outcome.failure == "LaneLost", outcome
    assert outcome.change is None


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("name", ["web-of-somebody-else", "web", "web-7_undo", None])
def test_who_runs_it_must_be_its_execution(
    witness: Witness, whole: dict[str, Any], step: str, name: str | None
) -> None:
    state = put(whole, ("execution", "name"), name) if name else without(whole, ("execution",))
    outcome = witness.ask(step, state)
    assert "xecution" in refused(outcome), outcome
    assert outcome.change is None


@pytest.mark.parametrize(
    ("step", "field", "value"),
    [
        pytest.param("bake_image", "plan.bake.key", "0" * 16, id="another bake key"),
        pytest.param("bake_image", "plan.base", "ami-00000000000000000", id="another base"),
        pytest.param("bake_image", "release.digest", "evil", id="another content"),
        pytest.param("bake_image", "plan.document", '{"groups": ["x"]}', id="another document"),
        pytest.param("publish_template", "bake.image", "ami-00000000000000000", id="no image"),
        pytest.param("publish_template", "plan.from.template", "lt-00000000", id="no template"),
        pytest.param("roll_group", "plan.group", "other", id="no group"),
        pytest.param("roll_group", "version.template", "lt-00000000000000000", id="its template"),
        pytest.param("move_address", "plan.group", "other", id="addresses of no group"),
    ],
)
def test_what_can_be_compared_is_compared(
    witness: Witness, whole: dict[str, Any], step: str, field: str, value: Any
) -> None:
    outcome = witness.ask(step, put(whole, path_of(field), value))
    assert outcome.failure == "BadEvent", outcome
    assert "is not what the steps of rollout" in outcome.message
    assert outcome.change is None


def test_an_undo_is_not_kept_from_its_work_by_what_it_does_not_read(
    witness: Witness, whole: dict[str, Any]
) -> None:
    state = whole | {"roll": "x", "addresses": nested(50), "version": 7, "bake": "y"}
    assert witness.ask("undo_rollout", state).change is not None


def test_junk_that_never_was_a_rollout_is_not_undone(witness: Witness) -> None:
    failure = {"Error": "BadEvent", "Cause": "{}"}
    outcome = witness.ask("undo_rollout", {"fleet": 7, "failure": failure})
    assert outcome.ignored
    assert outcome.change is None


def test_the_largest_state_fits(witness: Witness, whole: dict[str, Any]) -> None:
    """Every text as long as the schema allows, in characters of twelve bytes of JSON."""
    state = copy.deepcopy(whole)
    release = state_schema()["properties"]["release"]["properties"]
    for name in ("bucket", "key", "version_id", "etag", "revision"):
        state["release"][name] = "💥" * release[name]["maxLength"]
    outcome = witness.ask("plan_rollout", state)
    assert len(json.dumps(state)) + len(json.dumps(outcome.answer)) < PAYLOAD


def test_no_task_token_is_told(witness: Witness, whole: dict[str, Any]) -> None:
    token = {":token": {"S": SECRET}}
    for key, item in witness.world.ledger().items():
        if key.startswith("doorbell#"):
            witness.world.integrate(
                "dynamodb",
                "UpdateItem",
                {
                    "TableName": witness.world.deployment.table,
                    "Key": {"pk": item["pk"]},
                    "UpdateExpression": "SET #t = :token",
                    "ExpressionAttributeNames": {"#t": "token"},
                    "ExpressionAttributeValues": token,
                },
            )
    image = at(whole, ("bake", "image"))
    event = {"source": "aws.ec2", "detail-type": "EC2 AMI State Change"}
    outcome = witness.ask("ring_doorbell", event | {"detail": {"ImageId": image}})
    assert outcome.change is not None
    assert outcome.change.params["taskToken"] == SECRET  # which ask() looks for in the log


def test_the_schema_names_fleets_as_documents_do() -> None:
    assert state_schema()["properties"]["fleet"]["pattern"] == f"^{NAME}$"
