"""One history in a world of its own: fleet, wishes, mishaps, and all well at the end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ovenbird.core import releases
from sandbox.cloud.errors import AwsError
from sandbox.cloud.imaginary import Disk, Ending, Script
from sandbox.cloud.kernel import Durations
from sandbox.cloud.machines import CommandOutcome
from tests.simulation import oddities
from tests.simulation.fates import Fates
from tests.simulation.journal import Journal
from tests.simulation.mishaps import SORTS
from tests.simulation.schedule import Quality, Schedule, Wish
from tests.simulation.strikes import Strikes
from tests.stories import fleets
from tests.stories.alarms import alarm, set_alarm
from tests.stories.asl.execution import Execution
from tests.stories.asl.failures import StateFailed
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import OLD
from tests.stories.invariants import Invariants
from tests.stories.world import BUCKET, World

_FAILED = CommandOutcome(2, stdout="unpacking", stderr="tar: This does not look like a tar archive")
_LONGEST = timedelta(hours=130)  # of a history, in virtual time; events may be days late
_PATIENCE = 5  # how often a person asks again
_OUTAGE = timedelta(hours=1)  # what makes instances sick after a while is over then
# What S3 tells of and is no release, or none of this fleet's.
_NO_RELEASES = (
    ("web/2026/", ""),
    ("web/app.tar.gz", ""),
    ("web/app.tar.gz.sig", "signed"),
    ("web/app.tar.gz.sha256", "a sum"),
    ("other/app.tar.gz", "of another fleet"),
)
_WELL_FOR = timedelta(seconds=50)  # before those that become sick do


@dataclass
class Pushed:
    """A release that was uploaded."""

    at: datetime
    revision: str
    quality: Quality
    content: str
    key: str


@dataclass
class Simulated:
    """A world, its fleet, and what is planned for them."""

    world: World
    schedule: Schedule
    journal: Journal
    scouts: bool = False  # whether to note which faults would be possible
    pushed: list[Pushed] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)  # instances that fail by themselves
    excused: set[str] = field(default_factory=set)  # why the fleet may not be whole
    unwanted: set[str] = field(default_factory=set)  # revisions of what is no release
    healed: datetime | None = None  # when all that went wrong was over
    mishaps: list[str] = field(default_factory=list)  # that came to pass
    _born: dict[str, datetime] = field(default_factory=dict)
    _well: bool = False
    _ahead: dict[str, list[tuple[float, Callable[[], None]]]] = field(default_factory=dict)
    _planned: int = 0  # acts of ours on the timeline
    _lambda_is_busy_until: datetime | None = None

    def __post_init__(self) -> None:
        schedule, world = self.schedule, self.world
        self.alarmed = bool(schedule.made.document.get("roll", {}).get("alarms"))
        if self.alarmed:
            alarm(world)
        self.fleet = fleets.make(
            world,
            size=schedule.made.size,
            maximum=2 * schedule.made.size + 8,
            addresses=schedule.made.addresses,
            version=schedule.made.version,
            mixed=schedule.made.mixed,
            check_seconds=30,  # AWS's default, and a third of the work
            **schedule.made.document,
        )
        if schedule.made.health != "ELB":
            self.fleet.update(HealthCheckType=schedule.made.health)
        if schedule.made.odd:
            oddities.make(self.fleet, schedule.made.odd)
        self.other_image = world.cloud.ec2.images.seed("somebody-elses")
        roll = schedule.made.document.get("roll", {})
        self.invariants = Invariants(
            world,
            self.fleet,
            min_healthy_percent=roll.get("min_healthy_percent", 100),
            may_pin=bool(roll.get("pin")),
        )
        self.strikes = Strikes(world, schedule.strikes, self.journal, scouts=self.scouts)
        self.fates = Fates(world, schedule.fates, random.Random(schedule.seed), self.journal)
        world.machines.healthy, world.machines.ends = self._healthy, self._ends
        world.interference = self._interfere
        world.delivery.delays = self.fates

    # What is planned -----------------------------------------------------------------------

    def play(self) -> None:
        """Everything on the schedule, until nothing runs any more."""
        self.journal.note(self.world.now(), "the fleet serves")
        for wish in self.schedule.wishes:
            self._plan(wish.moment.after, wish.moment.delay, lambda wish=wish: self.wish(wish))  # type: ignore[misc]
        for mishap in self.schedule.mishaps:
            sort = SORTS[mishap.name]

            def happen(mishap: Any = mishap, sort: Any = sort) -> None:
                self.mishaps.append(mishap.name)
                self.journal.note(self.world.now(), f"MISHAP {mishap.name} ({mishap.amount:.2f})")
                sort.act(self, mishap.amount)

            self._plan(mishap.moment.after, mishap.moment.delay, happen)
        self.finish()

    def later(self, seconds: float, act: Callable[[], Any]) -> None:
        """An act of ours in a while; the history does not end before it."""
        self._planned += 1

        def do() -> None:
            self._planned -= 1
            act()

        self.world.after(timedelta(seconds=seconds), do)

    def finish(self) -> None:
        """Let time pass until everything planned is done and no execution runs."""
        world = self.world

        def idle() -> bool:
            return not self._planned and not world.delivery.under_way and not world.states.busy

        world.run_for(seconds=2)
        world.cloud.run_until(idle, _LONGEST)

    def heal(self) -> None:
        """All that went wrong is over, and people have undone what they did."""
        self.journal.note(self.world.now(), "ALL WELL from now on")
        world, name = self.world, self.fleet.name
        self.strikes.stop()
        self.fates.stop()
        self._ahead.clear()
        self._well, self.healed = True, self.world.now()
        world.run_for(minutes=2)  # what was begun a moment ago is done then
        world.cloud.ec2.launching.recover()
        world.cloud.ec2.images.recover()
        world.cloud.ssm.agents.starts = lambda _instance: True
        world.cloud.kernel.durations = Durations()
        world.cloud.kernel.visible_after = timedelta(0)
        self._lambda_is_busy_until = None
        self.propagate_tag()
        if self.alarmed:
            self.set_alarm("OK")
        self.write_document()
        self.operator("autoscaling", "ResumeProcesses", AutoScalingGroupName=name)
        self._end_what_was_set_apart()
        self._end_strangers()
        if 0 < self.fleet.group.desired < self.schedule.made.addresses:
            self.fleet.update(DesiredCapacity=self.schedule.made.addresses)
        self._replay_dead_letters()
        self.finish()
        self._recover_the_dead()
        world.cloud.run_until(lambda: self.fleet.group.refresh is None, timedelta(hours=12))
        self._pin_again()
        world.run_for(minutes=12)
        self.finish()
        self._place_addresses()

    def _recover_the_dead(self) -> None:
        """By hand, as docs/operate.md says, where no event has told of their end."""
        results = self.rollout_results()
        for execution in list(self.world.rollouts):
            dry = json.loads(execution.text).get("dry_run")
            if execution.status != "SUCCEEDED" and not results[execution.name] and not dry:
                self._ask("recover_rollout", {"rollout": execution.name})
        self.finish()

    def _pin_again(self) -> None:
        """Whoever let the group follow an alias writes a number again."""
        if self.fleet.saved_version.startswith("$") and not self.invariants.may_pin:
            first = {"LaunchTemplateId": self.fleet.template, "Version": "1"}
            self.fleet.update(LaunchTemplate=first)
            self.invariants.edited()

    def _end_what_was_set_apart(self) -> None:
        """What is in standby or protected was left alone by the roll; the group replaces it."""
        for member in list(self.fleet.group.members.values()):
            if member.lifecycle == "Standby" or member.protected:
                self.invariants.harmed.add(member.instance_id)
                self.operator(
                    "autoscaling",
                    "TerminateInstanceInAutoScalingGroup",
                    InstanceId=member.instance_id,
                    ShouldDecrementDesiredCapacity=False,
                )

    def _end_strangers(self) -> None:
        """Whoever took an address does not need it any more."""
        for stranger in self.invariants.strangers.values():
            self.operator("ec2", "TerminateInstances", InstanceIds=[stranger])

    def _place_addresses(self) -> None:
        """By hand, as docs/operate.md says, where no event could have told of it."""
        unheard = {"address freed", "address taken"} & set(self.mishaps) or any(
            fare in ("lost", "late") and kind.startswith("EC2 Instance ")
            for fare, kind in self.fates.fared
        )
        failed = any(each.status != "SUCCEEDED" for each in self.world.executions("addresses"))
        if not (unheard or failed):
            return
        for _ in range(40):
            answer = self.world.ask("move_address", {"fleet": self.fleet.name})
            if answer["next"] == "done":
                return
            self.world.run_for(seconds=15)

    def _replay_dead_letters(self) -> None:
        """As docs/operate.md tells the operator to."""
        dead, self.world.delivery.dead[:] = list(self.world.delivery.dead), []
        for folder, payload, _error in dead:
            function = self.world.deployment.function(folder)
            self.world.delivery.invoke_later(function.arn, payload)

    # What people do ------------------------------------------------------------------------

    def operator(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """A call by a person; empty where AWS refuses it."""
        try:
            answer = self.world.operator(service, operation, **params)
        except AwsError as error:
            self.journal.note(self.world.now(), f"  {operation} by hand: {error.code}")
            return {}
        self.journal.note(self.world.now(), f"  {operation} by hand")
        return answer

    def redrive(self, execution: Execution) -> None:
        """RedriveExecution by hand, where it still stands as it was stopped."""
        if execution.status == "ABORTED":
            self.world.states.redrive({"executionArn": execution.arn})

    def set_alarm(self, state: str) -> None:
        if self.alarmed:
            set_alarm(self.world, state)

    def write_document(self, **changes: Any) -> None:
        """The fleet's document, as its owner wants it; ``changes`` replace sections."""
        made = self.schedule.made
        sections = dict(made.document) | changes
        if made.addresses:
            sections["addresses"] = {"count": made.addresses}
        self.fleet.document(**sections)

    def write_parameter(self, text: str) -> None:
        """The fleet's document, whatever is in it."""
        self.operator(
            "ssm",
            "PutParameter",
            Name=f"/ovenbird/fleets/{self.fleet.name}",
            Type="String",
            Overwrite=True,
            Value=text,
        )

    def wish(self, wish: Wish) -> None:
        self.journal.note(self.world.now(), f"WISH {wish}")
        if wish.what == "release":
            for number in range(wish.many):
                self.release(wish.quality, key=f"web/app{number % 3 or ''}.tar.gz")
        elif wish.what == "no release":
            for key, content in _NO_RELEASES[: wish.many]:
                self.unwanted.add(self.world.upload(content, key))
        elif wish.what == "release the same again":
            self.release(self.pushed[-1].quality, self.pushed[-1].content)
        elif wish.what == "roll back":
            payload = {"action": "roll-back", "fleet": self.fleet.name, "reason": "it is slow"}
            self._ask("accept_release", payload)
        elif wish.what == "dry run":
            release = {"bucket": BUCKET, "key": "web/dry.tar.gz", "revision": "dry"}
            asked = {"fleet": self.fleet.name, "release": release, "dry_run": True}
            self._ask("accept_release", asked)
        elif wish.what == "pause":
            if (
                f"/ovenbird/fleets/{self.fleet.name}/paused"
                not in self.world.cloud.ssm.parameters.all
            ):
                self.fleet.pause("moving house")
        elif f"/ovenbird/fleets/{self.fleet.name}/paused" in self.world.cloud.ssm.parameters.all:
            self.fleet.unpause()

    @property
    def _paused(self) -> bool:
        return self.world.parameter(f"/ovenbird/fleets/{self.fleet.name}/paused") is not None

    def release(
        self, quality: Quality = "good", content: str = "", *, key: str = "web/app.tar.gz"
    ) -> str:
        """Upload something new, or the same content once more; returns its revision."""
        content = content or f"release {len(self.pushed)} of {self.schedule.seed}"
        revision = self.world.upload(content, key)
        self.pushed.append(Pushed(self.world.now(), revision, quality, content, key))
        return revision

    def keep_lambda_busy(self, duration: timedelta) -> None:
        """Other functions of the account use its concurrency up: state machines are refused."""
        self._lambda_is_busy_until = self.world.now() + duration

    def propagate_tag(self, propagate: bool = True) -> None:
        """Whether the instances of the group get the tag that says whose they are."""
        tag = {"ResourceId": self.fleet.name, "ResourceType": "auto-scaling-group"}
        tag |= {"Key": fleets.TAG, "Value": self.fleet.name}
        tags = [tag | {"PropagateAtLaunch": propagate}]
        self.operator("autoscaling", "CreateOrUpdateTags", Tags=tags)

    def _ask(self, function: str, payload: dict[str, Any], tried: int = 0) -> None:
        """By hand; where it fails, the person asks again in a minute."""
        try:
            answer = self.world.ask(function, payload)
        except StateFailed as failure:
            self.journal.note(self.world.now(), f"  {function} by hand: {failure.error}")
            if tried < _PATIENCE:
                self.later(60, lambda: self._ask(function, payload, tried + 1))
            return
        self.journal.note(self.world.now(), f"  {function} by hand: {answer.get('reason')}")

    # The machines --------------------------------------------------------------------------

    def _quality(self, revision: str) -> Quality:
        return next((one.quality for one in self.pushed if one.revision == revision), "good")

    def _ends(self, script: Script) -> Ending:
        quality = "good" if self._well else self._quality(script.revision)
        if quality == "script fails":
            return Ending(outcome=_FAILED)
        if quality == "script hangs":
            return Ending(after=None)
        return Ending(timedelta(minutes=12)) if quality == "script is slow" else Ending()

    def _healthy(self, instance: str, disk: Disk) -> bool:
        if self._well or (self._is_good(instance, disk) and instance not in self.sick):
            self.invariants.has_served(instance)
            return True
        self.invariants.harmed.add(instance)
        return False

    def _is_good(self, instance: str, disk: Disk) -> bool:
        if disk.revision in ("", OLD):
            return True
        quality = self._quality(disk.revision)
        if quality == "sick after a while":
            now = self.world.now()
            if now - self.pushed[0].at > _OUTAGE:
                return True
            return now - self._born.setdefault(instance, now) < _WELL_FOR
        if quality == "every third sick":
            self._born.setdefault(instance, self.world.now())
            return list(self._born).index(instance) % 3 != 2
        return quality != "never healthy"

    # In between ----------------------------------------------------------------------------

    def _plan(self, after: str, delay: float, act: Callable[[], None]) -> None:
        if after:
            self._ahead.setdefault(after, []).append((delay, act))
        else:
            self.later(delay, act)

    def _interfere(self, call: HandlerCall, go: Go) -> Any:
        for delay, act in self._ahead.pop(call.function, ()):
            self.later(delay, act)
        busy = self._lambda_is_busy_until
        if call.service == "lambda" and busy is not None and self.world.now() < busy:
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429)
        return self.strikes(call, go)

    def rollout_results(self) -> dict[str, str]:
        """Every execution, with the result of its rollout as the ledger has it."""
        ledger = self.world.ledger()
        return {
            each.name: ledger.get(f"rollout#{releases.rollout_of(each.name)}", {})
            .get("result", {})
            .get("S", "")
            for each in self.world.rollouts
        }

    def last(self) -> Execution | None:
        """The rollout that was started last."""
        return self.world.rollouts[-1] if self.world.rollouts else None
