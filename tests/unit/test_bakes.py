"""What a bake does next: one row for every branch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import bakes
from ovenbird.core.bakes import (
    Adopt,
    CreateImage,
    Decision,
    Done,
    GiveUp,
    Launch,
    Limits,
    Seen,
    SendScript,
    Stop,
    Terminate,
    Wait,
    WaitForAgent,
    WaitForBuilder,
    WaitForImage,
    WaitForScript,
    WaitForStop,
    Wanted,
)
from ovenbird.core.builders import Builder
from ovenbird.core.commands import Command
from ovenbird.core.images import Baked, Image, Known
from ovenbird.core.made import Made
from ovenbird.core.tokens import launch_token

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
KEY = "0123456789abcdef"
WANTED = Wanted("web", "web-1", f"ovenbird-web-{KEY}", KEY)
LIMITS = Limits(script=timedelta(minutes=60))


def ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def builder(
    state: str,
    *,
    minutes: float = 1,
    name: str = "i-1",
    rollout: str = "web-1",
    why: str = "",
    group: str = "",
) -> Builder:
    token = launch_token(rollout, name)
    return Builder(name, state, ago(minutes), rollout, why, token, group, stopped=ago(2))


def command(
    status: str,
    *,
    minutes: float = 1,
    details: str = "",
    exit_code: int | None = None,
    stdout: str = "",
    stderr: str = "",
) -> Command:
    return Command("c-1", status, ago(minutes), details, exit_code, stdout, stderr)


def image(state: str, *, minutes: float = 1, source: str = "") -> Image:
    why = "Client.KMS: no key"
    return Image("ami-1", WANTED.name, state, {}, why, ago(minutes), source_instance=source)


def known(key: str = KEY, *, bad: str = "", rollout: str = "web-1") -> Known:
    return {"ami-1": Baked("ami-1", key, "ami-0", rollout, bad)}


def seen(
    *builders: Builder,
    image: Image | None = None,
    command: Command | None = None,
    online: bool = False,
    made: Made | None = None,
    baked: Known | None = None,
) -> Seen:
    """With the ids that the state holds, unless a test says otherwise: ``i-1``, ``ami-1``."""
    if made is None:
        launched = any(each.instance_id == "i-1" for each in builders)
        made = Made(
            builder="i-1" if launched else None,
            builder_since=ago(1) if launched else None,
            image="ami-1" if image is not None and baked is None else None,
        )
    return Seen(image, builders, online, command, made, baked or {})


OK = command("Success", exit_code=0)
FAILED = command(
    "Failed",
    details="Failed",
    exit_code=3,
    stdout="ovenbird: download begins\novenbird: install begins\nall of it",
    stderr="tar: no such file\n\novenbird: install failed with exit code 3\nfailed to run commands",
)
SHUT_DOWN = "Client.InstanceInitiatedShutdown: Instance initiated shutdown"
LATE_BOOT = command(
    "Failed",
    exit_code=124,
    stderr="waits for apt-daily.service\n\novenbird: boot did not end within 15 minutes; see"
    " /var/log/cloud-init.log\nfailed to run commands: exit status 124",
)
ANOTHER_CONTENT = command(
    "Failed",
    exit_code=1,
    stderr="\novenbird: download found another content: its size is 5, and the release says 6\n",
)


@pytest.mark.parametrize(
    ("sight", "expected", "words"),
    [
        pytest.param(seen(), Launch, "no builder yet", id="nothing there"),
        pytest.param(
            seen(made=Made(builder="i-1", builder_since=ago(1))),
            WaitForBuilder,
            "not visible yet",
            id="launched a moment ago",
        ),
        pytest.param(
            seen(made=Made(builder="i-1", builder_since=ago(5))),
            GiveUp,
            "i-1, which this rollout made, has disappeared",
            id="launched and gone",
        ),
        pytest.param(seen(builder("pending")), WaitForBuilder, "booting", id="booting"),
        pytest.param(
            seen(builder("pending", minutes=15)), GiveUp, "within 15 minutes", id="never boots"
        ),
        pytest.param(seen(builder("running")), WaitForAgent, "does not reach", id="no agent yet"),
        pytest.param(
            seen(builder("running", minutes=15)), GiveUp, "needs the SSM agent", id="never an agent"
        ),
        pytest.param(
            seen(builder("running", minutes=15), online=True),
            SendScript,
            "reaches it",
            id="agent at the last moment",
        ),
        pytest.param(
            seen(builder("running", minutes=30), command=command("InProgress")),
            WaitForScript,
            "runs on i-1",
            id="script runs",
        ),
        pytest.param(
            seen(builder("running"), command=command("Delayed")),
            WaitForScript,
            "runs on i-1",
            id="script delayed",
        ),
        pytest.param(
            seen(builder("running", minutes=90), command=command("InProgress", minutes=85)),
            GiveUp,
            "still InProgress long after its time of 1 hour",
            id="script never ends",
        ),
        pytest.param(
            seen(builder("running"), command=OK), Stop, "succeeded", id="script succeeded"
        ),
        pytest.param(
            seen(builder("running"), command=FAILED),
            GiveUp,
            "Install failed with exit code 3. Its last output:\ntar: no such file",
            id="script failed",
        ),
        pytest.param(
            seen(builder("stopped"), command=FAILED),
            GiveUp,
            "Install failed with exit code 3",
            id="script failed and the builder stopped",
        ),
        pytest.param(
            seen(builder("stopping"), command=OK), WaitForStop, "is stopping", id="stopping"
        ),
        pytest.param(
            seen(builder("stopping", minutes=100), command=OK), GiveUp, "did not stop", id="hangs"
        ),
        pytest.param(
            seen(builder("stopping"), command=command("InProgress")),
            GiveUp,
            "was stopping before its script had ended",
            id="somebody stops it",
        ),
        pytest.param(
            seen(builder("stopping", why=SHUT_DOWN), command=command("InProgress")),
            GiveUp,
            "The builder i-1 shut itself down before its script had ended; no script may stop",
            id="a script of its own stops it",
        ),
        pytest.param(
            seen(builder("terminated", why=SHUT_DOWN)),
            GiveUp,
            "The builder i-1 shut itself down before its script had ended",
            id="a script of its own ends it",
        ),
        pytest.param(
            seen(builder("running"), command=LATE_BOOT),
            GiveUp,
            "The first boot did not end within 15 minutes; see /var/log/cloud-init.log. Its last"
            " output:\nwaits for apt-daily.service",
            id="the first boot does not end",
        ),
        pytest.param(
            seen(builder("running"), command=ANOTHER_CONTENT),
            GiveUp,
            "The download found another content: its size is 5, and the release says 6.",
            id="another content",
        ),
        pytest.param(
            seen(builder("stopped")),
            GiveUp,
            "was stopped before its script had ended",
            id="stopped before the script was sent",
        ),
        pytest.param(
            seen(builder("stopped"), command=OK), CreateImage, "is stopped", id="ready to be copied"
        ),
        pytest.param(
            seen(builder("stopped"), command=OK, made=Made(image="ami-1", image_since=ago(1))),
            WaitForImage,
            "ami-1 was made and is not visible yet",
            id="copied a moment ago",
        ),
        pytest.param(
            seen(builder("stopped"), command=OK, made=Made(image="ami-1", image_since=ago(5))),
            GiveUp,
            "ami-1, which this rollout made, has disappeared",
            id="the image is gone",
        ),
        pytest.param(
            seen(builder("terminated", why="Server.SpotInstanceTermination")),
            GiveUp,
            "before its image was made: Server.SpotInstanceTermination",
            id="builder taken away",
        ),
        pytest.param(
            seen(builder("terminated", why="Client.InternalError: Client error on launch")),
            GiveUp,
            "parameter VolumeKmsKeyArn has to name the key",
            id="a key that it may not use",
        ),
        pytest.param(
            seen(builder("shutting-down")), GiveUp, "before its image was made", id="being taken"
        ),
        pytest.param(
            seen(builder("stopped"), command=OK, image=image("pending")),
            WaitForImage,
            "writing its snapshots",
            id="image pending",
        ),
        pytest.param(
            seen(image=image("pending", minutes=24 * 60 - 1)),
            WaitForImage,
            "writing its snapshots",
            id="a large volume takes its time",
        ),
        pytest.param(
            seen(image=image("pending", minutes=24 * 60)),
            GiveUp,
            "still pending after 24 hours",
            id="image never ends",
        ),
        pytest.param(
            seen(image=image("failed")), GiveUp, "is failed: Client.KMS: no key", id="image failed"
        ),
        pytest.param(
            seen(image=image("available"), baked={}),
            GiveUp,
            f"The name {WANTED.name} is taken by ami-1",
            id="an image that nobody knows",
        ),
        pytest.param(
            seen(image=image("available"), baked=known("f" * 16)),
            GiveUp,
            f"The name {WANTED.name} is taken by ami-1",
            id="an image of other content",
        ),
        pytest.param(
            seen(image=image("available"), baked=known(bad="unhealthy")),
            GiveUp,
            "was marked bad meanwhile: unhealthy",
            id="marked bad since the plan",
        ),
        pytest.param(
            seen(builder("stopped"), image=image("pending", source="i-1"), baked={}),
            Adopt,
            f"ami-1 ({WANTED.name}) was made of i-1",
            id="made by a turn that did not live to tell",
        ),
        pytest.param(
            seen(builder("stopped"), image=image("pending", source="i-9"), baked={}),
            GiveUp,
            "is taken by ami-1",
            id="made of an instance of somebody else's",
        ),
        pytest.param(
            seen(builder("stopped"), image=image("pending", source="i-1", minutes=3), baked={}),
            GiveUp,
            "is taken by ami-1",
            id="made of our builder before it was stopped",
        ),
        pytest.param(
            seen(builder("running", group="web"), online=True),
            GiveUp,
            "Somebody has put the builder i-1 into the group web",
            id="put into a group",
        ),
        pytest.param(
            seen(builder("stopped"), image=image("available")), Terminate, "is available", id="end"
        ),
        pytest.param(
            seen(builder("shutting-down"), image=image("available")),
            Done,
            "no builder is left",
            id="all done",
        ),
    ],
)
def test_decides(sight: Seen, expected: type[Decision], words: str) -> None:
    decision = bakes.decide(sight, WANTED, LIMITS, NOON)
    assert type(decision) is expected
    assert words in decision.reason


def decide(sight: Seen) -> Decision:
    return bakes.decide(sight, WANTED, LIMITS, NOON)


def test_waits_for_the_thing_itself() -> None:
    expected = [
        (seen(builder("pending")), "i-1", "soon"),
        (seen(builder("running")), "i-1", "soon"),  # AWS has no event for the agent
        (seen(builder("running"), command=command("Pending")), "c-1", "late"),
        (seen(builder("stopping"), command=OK), "i-1", "late"),
        (seen(image=image("pending")), "ami-1", "late"),
    ]
    for sight, doorbell, sweep in expected:
        decision = decide(sight)
        assert isinstance(decision, Wait)
        assert (decision.doorbell, decision.sweep) == (doorbell, sweep)


def test_ends_the_builders_that_earlier_rollouts_left() -> None:
    left = builder("running", name="i-0", rollout="web-0")
    launch = decide(seen(left))
    assert isinstance(launch, Launch) and launch.orphans == ("i-0",)
    assert launch.tokens == ()
    end = decide(seen(left, builder("stopped"), image=image("available")))
    assert isinstance(end, Terminate) and end.builders == ("i-0", "i-1")


def test_what_a_turn_launched_that_did_not_live_to_tell_is_asked_for_again() -> None:
    lost = builder("running")
    launch = decide(seen(lost, made=Made()))
    assert isinstance(launch, Launch)
    assert (launch.orphans, launch.tokens) == ((), (lost.client_token,))


def test_tags_make_no_builder() -> None:
    """Whatever was not launched with a token of ours, or belongs to a group, is left alone."""
    copied = Builder("i-7", "running", ago(1), "web-0", client_token="from-the-console")
    member = builder("running", name="i-8", rollout="web-0", group="web")
    moved = Builder("i-9", "running", ago(1), "web-1", client_token=launch_token("web-0", "x"))
    launch = decide(seen(copied, member, moved, made=Made()))
    assert isinstance(launch, Launch) and (launch.orphans, launch.tokens) == ((), ())
    end = decide(seen(copied, member, moved, image=image("available")))
    assert isinstance(end, Done)


def test_says_whose_bake_it_was() -> None:
    ours, theirs = (
        decide(seen(image=image("available"), baked=known(rollout=rollout)))
        for rollout in ("web-1", "web-0")
    )
    made = decide(seen(image=image("available")))
    assert isinstance(made, Done) and made.baked
    assert isinstance(ours, Done) and ours.baked
    assert isinstance(theirs, Done) and not theirs.baked


@pytest.mark.parametrize(
    ("status", "details", "words"),
    [
        pytest.param("TimedOut", "Execution Timed Out", "Execution Timed Out", id="with spaces"),
        pytest.param("TimedOut", "ExecutionTimedOut", "Execution Timed Out", id="without spaces"),
        pytest.param("TimedOut", "Delivery Timed Out", "Delivery Timed Out", id="not delivered"),
        pytest.param("Cancelled", "", "Cancelled", id="no details"),
        pytest.param("Failed", "Undeliverable", "Undeliverable", id="undeliverable"),
    ],
)
def test_names_the_end_of_a_script_in_either_spelling(
    status: str, details: str, words: str
) -> None:
    ended = command(status, details=details, exit_code=-1, stdout="ovenbird: verify begins\n")
    decision = decide(seen(builder("running"), command=ended))
    assert decision == GiveUp(
        f"Run Command says {words}; the phase was verify. Its last output:\novenbird: verify begins"
    )


def test_a_script_that_said_nothing_is_still_reported() -> None:
    ended = command("Failed", details="Failed", exit_code=2)
    decision = decide(seen(builder("running"), command=ended))
    assert decision == GiveUp("Run Command says Failed, exit code 2, without any output.")


SIGHTS = st.builds(
    lambda image, builders, online, command: seen(
        *builders, image=image, command=command, online=online
    ),
    image=st.none() | st.builds(image, st.sampled_from(["pending", "available", "failed"])),
    builders=st.lists(
        st.builds(
            builder,
            st.sampled_from(
                ["pending", "running", "stopping", "stopped", "shutting-down", "terminated"]
            ),
            name=st.sampled_from(["i-1", "i-2", "i-3"]),
            rollout=st.sampled_from(["web-1", "web-0"]),
            minutes=st.integers(0, 200),
        ),
        unique_by=lambda builder: builder.instance_id,
    ).map(tuple),
    online=st.booleans(),
    command=st.none()
    | st.builds(command, st.sampled_from(["Pending", "InProgress", "Success", "Failed"])),
)


@given(SIGHTS)
def test_never_two_builders_and_never_a_builder_left(sight: Seen) -> None:
    decision = decide(sight)
    if isinstance(decision, Launch):
        assert sight.builder is None and sight.image is None
    if isinstance(decision, Done):
        assert not any(b.is_alive for b in sight.builders)
    if isinstance(decision, CreateImage):
        assert sight.image is None and sight.command is not None and sight.command.succeeded


@given(SIGHTS)
def test_no_wait_lasts_longer_than_a_day_and_a_bit(sight: Seen) -> None:
    later = bakes.decide(sight, WANTED, LIMITS, NOON + timedelta(hours=30))
    assert not isinstance(later, Wait)


def test_what_was_made_is_told_from_turn_to_turn() -> None:
    made = Made("i-1", ago(3), "c-1", ago(2), "ami-1", ago(1))
    assert Made.from_json(made.to_json()) == made
    assert Made.from_json({"next": "wait", "reason": "x"}) == Made()
    assert Made(builder="i-1", builder_since=NOON).to_json() == {
        "builder": "i-1",
        "builder_since": "2026-01-05T12:00:00+00:00",
    }
