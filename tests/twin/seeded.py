"""The script under the simulation's seeds: its fleets, its releases, its faults at calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation import seeds
from tests.simulation.journal import Journal
from tests.simulation.schedule import Quality, Schedule
from tests.simulation.simulated import Pushed, Simulated
from tests.stories.world import present
from tests.twin.eyes import Eyes
from tests.twin.runs import job


def comparable(seed: int) -> bool:
    """Whether the seed has only what both can be asked: releases, and faults at calls.

    Without roll-backs by hand, groups on an alias and mixed instances, which the script does not
    know, and without mishaps and events, whose moments are those of Ovenbird's own steps.
    """
    schedule = seeds.schedule(seed)
    made = schedule.made
    return (
        not schedule.name  # not one that was made for a call of Ovenbird's
        and made.size > 0
        and not made.mixed
        and made.version == "1"
        and not schedule.mishaps
        and bool(schedule.strikes)
        and all(wish.what == "release" for wish in schedule.wishes)
    )


def broken(seed: int) -> dict[str, str] | None:
    """What the script breaks, by the invariant's name; ``None`` where no fault came by it.

    A fault comes at one of a history's first 150 calls, and the script makes fewer than Ovenbird.
    """
    schedule = seeds.schedule(seed)
    with present(seed) as world:
        scripted = Scripted(world, schedule, Journal())
        found = scripted.judged()
    return found if scripted.strikes.fired else None


@dataclass
class Scripted(Simulated):
    """A history in an account without Ovenbird; whoever releases runs the script."""

    green: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.world.delivery.delays = lambda event: []
        self.world.watchers.clear()
        self.invariants = self.eyes = Eyes(
            self.world, self.fleet, min_healthy_percent=_promised(self.schedule)
        )

    def judged(self) -> dict[str, str]:
        """Play it to its end; what broke."""
        self.play()
        self.strikes.stop()
        self.world.cloud.run_until(lambda: self.fleet.group.refresh is None, timedelta(hours=12))
        pushed = [one.revision for one in self.pushed]
        self.eyes.judge(green=self.green, pushed=pushed)
        return self.eyes.broken

    def release(
        self, quality: Quality = "good", content: str = "", *, key: str = "web/app.tar.gz"
    ) -> str:
        """Run the script for something new."""
        revision = f"r{len(self.pushed)}"
        self.pushed.append(Pushed(self.world.now(), revision, quality, content, key))
        if job(self.world, self.fleet, revision):
            self.green.append(revision)
        return revision


def _promised(schedule: Schedule) -> int:
    return int(schedule.made.document["roll"].get("min_healthy_percent", 100))
