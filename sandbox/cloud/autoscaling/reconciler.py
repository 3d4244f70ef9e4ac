"""What keeps a group what it should be: one look after another, while there is something to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sandbox.cloud.autoscaling.departures import Departures
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.launches import Launches
from sandbox.cloud.autoscaling.replacement import Replacement
from sandbox.cloud.kernel import Kernel

SOON = timedelta(seconds=1)
_EVERY = timedelta(seconds=5)
_SELDOM = timedelta(seconds=30)


class Reconciler:
    """Looks at groups on the kernel's timeline; a group in which nothing is to do is left alone."""

    def __init__(
        self,
        kernel: Kernel,
        health: Health,
        launches: Launches,
        departures: Departures,
        replacement: Replacement,
        gone: Callable[[Group], None],
    ) -> None:
        self._kernel, self._health = kernel, health
        self._launches, self._departures = launches, departures
        self._replacement, self._gone = replacement, gone

    def wake(self, group: Group, delay: timedelta = SOON) -> None:
        """Look at the group after the delay, unless a look is due before."""
        due = self._kernel.now() + self._kernel.scaled(delay)
        if group.next_look is not None and group.next_look <= due:
            return
        group.next_look = due

        def look() -> None:
            if group.next_look == due:  # else another look was planned before this one
                group.next_look = None
                self.look(group)

        self._kernel.after(delay, look)

    def look(self, group: Group) -> None:
        """Observe, decide, act; then plan the next look."""
        self._observe(group)
        if group.deleting:
            for member in group.active:
                self._departures.begin(group, member, "the Auto Scaling group was deleted.")
            if not group.members:
                self._gone(group)
                return
        else:
            self._act(group)
        if delay := self._next(group):
            self.wake(group, delay)

    def _observe(self, group: Group) -> None:
        for member in list(group.members.values()):
            if member.lifecycle == "Pending":
                self._launches.follow(group, member)
            elif member.lifecycle in ("Terminating", "EnteringStandby"):
                self._departures.follow(group, member)
            else:
                self._health.look(group, member)

    def _act(self, group: Group) -> None:
        may_terminate = "Terminate" not in group.suspended
        if may_terminate and "ReplaceUnhealthy" not in group.suspended:
            for member in group.active:
                if not member.healthy:
                    why = "an instance was taken out of service in response to a health check."
                    self._departures.begin(group, member, why)
        refresh = group.refresh
        step = self._replacement.step(group)
        if may_terminate:
            why = (
                "an instance was terminated in response to an instance refresh."
                if refresh is not None
                else "an instance was taken out of service in response to a difference between "
                "desired and actual capacity."
            )
            for instance_id in step.terminate:
                self._departures.begin(group, group.members[instance_id], why)
        if "Launch" not in group.suspended:
            self._launches.launch(group, step.launch)

    def _next(self, group: Group) -> timedelta | None:
        """When to look again, ``None`` when only a call or an event can change anything."""
        refresh = group.refresh
        steady = all(
            member.lifecycle == "Standby" or self._health.passes(group, member)
            for member in group.members.values()
        )
        if not steady or group.deleting or group.units < group.desired:
            return _EVERY
        if refresh is None:
            return None if group.is_full else _EVERY
        moments = [each for each in (refresh.waits_until, refresh.bakes_until) if each]
        moments = moments or [
            warm
            for member in group.active
            if (warm := self._health.warm_at(group, member)) and warm > self._kernel.now()
        ]
        if not moments:
            return _EVERY
        left = (min(moments) - self._kernel.now()) * self._kernel.timeline.speed
        if refresh.preferences.alarms:  # they may be somebody else's, who does not tell us
            left = min(left, _SELDOM)
        return max(SOON, left)
