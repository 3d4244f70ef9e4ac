"""Asking the balancers, in a roll, whether the new instances get traffic; see core/arrivals.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ovenbird.aws import loadbalancing
from ovenbird.core import arrivals
from ovenbird.core.arrivals import Arrivals, Complete, Early, Limits, Unwanted
from ovenbird.core.census import arrived, count
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences
from ovenbird.core.refreshes import Refresh
from ovenbird.core.rolls import Decision, Done, GiveUp, RollBack, TryAddress, Wait
from ovenbird.core.traffic import asked
from ovenbird.core.traffic_refusals import REGISTERS


@dataclass(frozen=True)
class Roll:
    """A roll at one moment: the group, where it goes, its newest refresh, and how."""

    group: Group
    versions: Mapping[str, str]
    refresh: Refresh | None
    preferences: Preferences


def look(
    decision: Decision,
    roll: Roll,
    known: Arrivals,
    *,
    left_out: Iterable[str],
    planned: int,
    tries_address: bool,
    now: datetime,
) -> tuple[Decision, Arrivals]:
    """The decision once the balancers were asked, where they may have something new to say.

    One call for each balancer; none while no new instance has come since they wanted all of them.

    Args:
        decision: Without them.
        left_out: ARNs of target groups whose opinion does not count.
        planned: The desired capacity of the plan.
        tries_address: Whether an address shall be put on the first new instance.

    Raises:
        NotFound: A balancer of the group is gone.
        Throttled, Unavailable: Safe to repeat.
    """
    group, refresh = roll.group, roll.refresh
    balancers = asked(group, left_out)
    limits = arrivals.limits(group, roll.preferences)
    if isinstance(decision, Done):
        return _end(roll, balancers, known, limits, planned, now)
    if refresh is None or not refresh.active or refresh.ending or not isinstance(decision, Wait):
        return decision, known
    if balancers and REGISTERS in group.suspended:
        reason = (
            f"{refresh}; group {group.name} has suspended {REGISTERS}, so nothing new is served."
        )
        return RollBack(reason, refresh.refresh_id, excused=True), known
    if not balancers and not tries_address:
        return decision, known
    new = arrived(group, roll.versions)
    if not new:
        after = arrivals.first_look(now - (refresh.started or now))
        known = replace(known, due=now + after)
        return replace(decision, launches=True, after=after), known
    if known.waiting or known.proven != len(new):
        opinions = loadbalancing.opinions(balancers)
        verdict, known = arrivals.judge(new, opinions, known, limits, now)
        if isinstance(verdict, Unwanted):
            reason = f"{refresh}; {verdict.reason}"
            return RollBack(reason, refresh.refresh_id, excused=verdict.excused), known
        if isinstance(verdict, Early):
            reason = f"{refresh}; {verdict.reason}"
            return Wait(reason, refresh.refresh_id, after=verdict.after), known
    if tries_address:
        return TryAddress(f"{refresh}; the first new instance gets traffic."), known
    if not limits.held and known.proven < arrivals.MOST_WATCHED:
        return replace(decision, launches=True), known  # the next batch
    return decision, known


def _end(
    roll: Roll,
    balancers: Iterable[str],
    known: Arrivals,
    limits: Limits,
    planned: int,
    now: datetime,
) -> tuple[Decision, Arrivals]:
    """Every instance is on the version: is every one served, and are they enough?"""
    group = roll.group
    census = count(
        group,
        roll.versions,
        protected_instances=roll.preferences.protected_instances,
        standby_instances=roll.preferences.standby_instances,
    )
    opinions = loadbalancing.opinions(balancers) if group.members else ()
    ended, known = arrivals.count(group, census, opinions, known, limits, planned=planned, now=now)
    if isinstance(ended, Complete):
        return Done(ended.reason), known
    if ended.over:
        return GiveUp(ended.reason), known
    refresh = roll.refresh.refresh_id if roll.refresh else ""
    return Wait(ended.reason, refresh, after=ended.after), known
