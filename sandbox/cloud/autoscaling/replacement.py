"""The engine of an instance refresh: where it stands, and the next step.

Source: Auto Scaling user guide, "Use an instance refresh to update instances in an Auto Scaling
group" and its pages; API reference, InstanceRefresh and RefreshPreferences.
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.cloud.autoscaling import census as counting
from sandbox.cloud.autoscaling import reasons
from sandbox.cloud.autoscaling.batches import Seat, Step, bounds, keep, replace
from sandbox.cloud.autoscaling.census import Census
from sandbox.cloud.autoscaling.ground import Alarms, Instances
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.notices import Notices
from sandbox.cloud.autoscaling.refresh import Refresh, Rollback
from sandbox.cloud.kernel import Kernel

#: A refresh that cannot go on is tried again for one hour, and fails then.
STALL = timedelta(hours=1)
#: The longest time that replacements may take in all.
LONGEST = timedelta(days=14)
_ONE = Seat("", ready=False)


class Replacement:
    """Moves refreshes on; it decides about instances, and touches none."""

    def __init__(
        self, kernel: Kernel, ec2: Instances, alarms: Alarms, health: Health, notices: Notices
    ) -> None:
        self._kernel, self._ec2, self._alarms = kernel, ec2, alarms
        self._health, self._notices = health, notices

    def step(self, group: Group) -> Step:
        """Where the group's refresh goes next; plain scaling when there is none."""
        refresh = group.refresh
        census = self._count(group)
        if refresh is None:
            return self._fill(group, census)
        now = self._kernel.now()
        elapsed = now - (refresh.looked or now)
        refresh.looked = now
        if refresh.status == "Pending":
            refresh.status = "InProgress"
            self._notices.refresh(group, refresh, "Started")
        if refresh.status == "Cancelling":
            return self._cancelling(group, refresh, census)
        key = refresh.key
        waiting = self._watch(group, refresh)
        if refresh.key != key or not refresh.is_active:
            return self._hold(group, refresh, census)  # it failed, or turned round, just now
        if waiting or "InstanceRefresh" in group.suspended:
            refresh.reason = waiting or "The InstanceRefresh process is suspended."
            refresh.stuck += elapsed if waiting else timedelta(0)
            self._fail_if_stuck(group, refresh)
            return self._hold(group, refresh, census)
        if refresh.status == "Baking":
            if refresh.bakes_until is not None and now >= refresh.bakes_until:
                self.end(group, refresh, "Successful")
            return self._fill(group, census)
        if refresh.waits_until is not None:
            if now < refresh.waits_until:
                return self._fill(group, census)
            refresh.waits_until = None
        return self._replace(group, refresh, census, elapsed)

    def fail(self, group: Group, refresh: Refresh, reason: str) -> None:
        """End the refresh, or roll it back if it was asked to do that."""
        if refresh.rollback is not None:
            self.end(group, refresh, "RollbackFailed", reason)
        elif refresh.preferences.auto_rollback:
            self.roll_back(group, refresh, reason)
        else:
            self.end(group, refresh, "Failed", reason)

    def roll_back(self, group: Group, refresh: Refresh, reason: str) -> None:
        """Turn round: from now on the saved configuration is launched."""
        refresh.rollback = Rollback(reason, self._kernel.now(), refresh.percent, refresh.to_update)
        refresh.status, refresh.reason = "RollbackInProgress", reason
        refresh.waits_until = refresh.bakes_until = None
        refresh.stuck, refresh.best = timedelta(0), (0, -(10**6))
        self._notices.refresh(group, refresh, "Rollback Started")

    def end(self, group: Group, refresh: Refresh, status: str, reason: str = "") -> None:
        """Reach a terminal status; only success rewrites the group's saved configuration."""
        refresh.status, refresh.reason, refresh.end = status, reason, self._kernel.now()
        if status == "Successful" and refresh.desired is not None:
            group.saved = refresh.desired
        what = {
            "Successful": "Succeeded",
            "RollbackSuccessful": "Rollback Succeeded",
            "RollbackFailed": "Rollback Failed",
        }.get(status, status)
        self._notices.refresh(group, refresh, what)

    def _count(self, group: Group) -> Census:
        return counting.take(group, group.refresh, self._health, self._ec2)

    def _watch(self, group: Group, refresh: Refresh) -> str:
        """Look at the alarms; the answer is why to wait, empty if there is no reason.

        An alarm in ALARM fails the refresh, one without data holds it. A rollback looks at none.
        """
        names = refresh.preferences.alarms
        if not names or refresh.rollback is not None:
            return ""
        states = self._alarms.states(names)
        for name in names:
            if states.get(name) == "ALARM":
                self.fail(group, refresh, f"The CloudWatch alarm {name} is in the ALARM state.")
                return ""
        for name in names:
            if states.get(name) != "OK" and refresh.status == "InProgress":
                return f"Waiting: the CloudWatch alarm {name} has insufficient data."
        return ""

    def _cancelling(self, group: Group, refresh: Refresh, census: Census) -> Step:
        if not any(m.lifecycle in ("Pending", "Terminating") for m in group.members.values()):
            self.end(group, refresh, "Cancelled", refresh.reason)
        return self._hold(group, refresh, census)

    def _fill(self, group: Group, census: Census) -> Step:
        """Neither more nor less than the desired capacity."""
        return keep(census.seats, group.desired, group.desired, group.next_weight)

    def _hold(self, group: Group, refresh: Refresh, census: Census) -> Step:
        """Replace nothing; what is above the desired capacity for the refresh's sake may stay."""
        wanted = refresh.preferences
        weight = group.next_weight
        within = bounds(group.desired, wanted.minimum, wanted.maximum, weight)
        return keep(census.seats, group.desired, within.most, weight)

    def _replace(self, group: Group, refresh: Refresh, census: Census, elapsed: timedelta) -> Step:
        self._progress(refresh, census, group.desired)
        allowed, last = self._allowed(refresh, census)
        if self._checkpoint(group, refresh, census, allowed):
            return self._fill(group, census)
        if self._is_done(group, refresh, census, last):
            self._finish(group, refresh)
            return self._fill(group, census)
        key = refresh.key
        self._stall(group, refresh, census, elapsed)
        if refresh.key != key or not refresh.is_active:
            return self._hold(group, refresh, census)
        wanted = refresh.preferences
        weight = group.next_weight
        within = bounds(group.desired, wanted.minimum, wanted.maximum, weight)
        step = replace(census.seats, group.desired, within, allowed, weight)
        if refresh.rollback is None:
            refresh.reason = reasons.waiting(group, refresh, census)
        if wanted.standby == "Terminate":
            return Step(step.launch, step.terminate + census.standby)
        return step

    def _progress(self, refresh: Refresh, census: Census, desired: int) -> None:
        """The percentage counts instances that are healthy and warm; it falls in a rollback."""
        if refresh.rollback is None:
            refresh.percent = census.percent
            left = census.size - census.updated
            refresh.to_update = max(0, -(-left // max(s.weight for s in census.seats or [_ONE])))
        else:
            left = 100 * census.outdated // desired if desired else 0
            refresh.percent = min(refresh.percent, left)

    def _allowed(self, refresh: Refresh, census: Census) -> tuple[int, bool]:
        """How many may be updated before the next checkpoint, and whether no other follows."""
        checkpoints = refresh.preferences.checkpoints
        if refresh.rollback is not None or not checkpoints:
            return census.size, True
        if census.size > refresh.reached_size and census.percent < refresh.reached:
            refresh.reached = 0  # the group has grown: a checkpoint may be reached again
        ahead = [each for each in checkpoints if each > refresh.reached]
        target = ahead[0] if ahead else checkpoints[-1]
        return -(-target * census.size // 100), len(ahead) < 2 and target == checkpoints[-1]

    def _checkpoint(self, group: Group, refresh: Refresh, census: Census, allowed: int) -> bool:
        """Pause at a checkpoint that was just reached; several at once count as the last of them.

        There is no event, and no pause, for 100 percent.
        """
        if refresh.rollback is not None:
            return False
        passed = [
            each
            for each in refresh.preferences.checkpoints
            if refresh.reached < each <= census.percent
        ]
        if not passed or passed[-1] == 100 or census.outdated > max(0, census.size - allowed):
            return False
        now, delay = self._kernel.now(), refresh.preferences.checkpoint_delay
        refresh.reached, refresh.reached_size = passed[-1], census.size
        refresh.waits_until = now + self._kernel.scaled(delay)
        refresh.stuck = timedelta(0)
        refresh.reason = f"Waiting at the checkpoint of {passed[-1]} percent."
        self._notices.refresh(
            group,
            refresh,
            "Checkpoint Reached",
            CheckpointPercentage=str(passed[-1]),
            CheckpointDelay=str(int(delay.total_seconds())),
        )
        return True

    def _is_done(self, group: Group, refresh: Refresh, census: Census, last: bool) -> bool:
        wanted = refresh.preferences
        if wanted.standby != "Ignore" and census.standby:
            return False
        if any(member.lifecycle == "Terminating" for member in group.members.values()):
            return False
        if not group.is_full:
            return False
        partial = wanted.checkpoints and wanted.checkpoints[-1] < 100 and refresh.rollback is None
        if partial:
            return last and refresh.reached == wanted.checkpoints[-1]
        return census.outdated == 0 and census.updated >= census.size

    def _finish(self, group: Group, refresh: Refresh) -> None:
        if refresh.rollback is not None:
            refresh.percent = 0
            self.end(group, refresh, "RollbackSuccessful", refresh.rollback.reason)
        elif refresh.preferences.bake:
            refresh.status, refresh.reason = "Baking", "Waiting for the bake time to pass."
            bake = self._kernel.scaled(refresh.preferences.bake)
            refresh.bakes_until = self._kernel.now() + bake
            self._notices.refresh(group, refresh, "Started Baking")
        else:
            self.end(group, refresh, "Successful")

    def _stall(self, group: Group, refresh: Refresh, census: Census, elapsed: timedelta) -> None:
        """Count the time in which it cannot go on; warm-up and draining are going on."""
        best = (census.updated, -census.outdated)
        if best[0] > refresh.best[0] or best[1] > refresh.best[1]:
            refresh.stuck = timedelta(0)
            refresh.best = (max(best[0], refresh.best[0]), max(best[1], refresh.best[1]))
        elif not any(
            member.lifecycle == "Terminating"
            or (self._health.passes(group, member) and not self._health.is_warm(group, member))
            for member in group.members.values()
        ):
            refresh.stuck += elapsed
        refresh.replacing += elapsed
        self._fail_if_stuck(group, refresh)

    def _fail_if_stuck(self, group: Group, refresh: Refresh) -> None:
        if refresh.stuck >= self._kernel.scaled(STALL):
            reason = f"The instance refresh could not continue for one hour. {refresh.reason}"
            self.fail(group, refresh, reason)
        elif refresh.replacing >= self._kernel.scaled(LONGEST):
            self.fail(group, refresh, "The instance refresh took longer than 14 days.")
