"""What must be true of every history at its end."""

from __future__ import annotations

import json
from collections import Counter

from ovenbird import errors
from ovenbird.core import releases
from tests.simulation import oddities
from tests.simulation.simulated import Simulated
from tests.stories.invariants import RESULTS, Broken

NAMED = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.OvenbirdError)
}
_TELLING = {"released", "rolled-back"} | NAMED
_KILLED = {"Runtime.ExitError", "Sandbox.Timedout"}
_MOST_STRIKES = 6  # that make one function fail; more may exhaust its retries


def at_end(sim: Simulated) -> None:
    """After everything has been healed.

    Raises:
        Broken: With what does not hold.
    """
    sim.invariants.exhausted = not _bearable(sim)
    sim.invariants.at_end()
    _names(sim)
    _notices(sim)
    _whole(sim)
    _serves(sim)
    _wanted(sim)
    if sim.schedule.is_benign and _bearable(sim):
        _released(sim)


def encore(sim: Simulated) -> None:
    """Whatever has happened: with all well again, the next release must succeed."""
    revision = sim.release()
    sim.finish()
    last = sim.world.rollouts[-1]
    if last.error == "Refused" and "an image was deleted" in sim.excused:
        return  # there is nothing to bake from, or nothing to roll back to
    if last.error == "Refused" and sim.schedule.made.odd in oddities.REFUSED:
        return
    if last.status != "SUCCEEDED":
        raise Broken(f"the release after all was well again: {last.error}: {last.cause[:600]}")
    desired = sim.fleet.group.desired
    if sim.fleet.revisions != Counter({revision: desired} if desired else {}):
        raise Broken(f"after the last release the fleet runs {dict(sim.fleet.revisions)}")


def needs_encore(sim: Simulated) -> bool:
    """Whether an execution has died: what its undo has left must not bar the way."""
    results = sim.rollout_results()
    return sim.schedule.encore or any(
        each.status == "ABORTED"
        or (each.error == "UndoFailed" and results[each.name] != "UndoFailed")
        for each in sim.world.rollouts
    )


def _names(sim: Simulated) -> None:
    """Every rollout has a result, and every failure of a function is one of ours."""
    for invocation in sim.world.lambdas.invocations:
        if invocation.failure and invocation.failure not in NAMED | _KILLED:
            told = f"{invocation.failure}: {invocation.message}"
            raise Broken(f"{invocation.function} failed with no name of ours: {told}")
    for name, result in sim.rollout_results().items():
        execution = next(each for each in sim.world.rollouts if each.name == name)
        if json.loads(execution.text).get("dry_run"):
            continue
        of_aws = result in _KILLED or result.startswith(("Lambda.", "DynamoDb."))
        if of_aws and not _bearable(sim):
            continue  # struck until its retries were used up
        if result not in RESULTS | NAMED:
            raise Broken(f"{name} ended with {result!r}, which is no name of ours")


def _notices(sim: Simulated) -> None:
    """Every rollout that did something, or failed, was told of."""
    notices = sim.world.notices
    results = sim.rollout_results()
    for execution in sim.world.rollouts:
        name, result = releases.rollout_of(execution.name), results[execution.name]
        if execution.status == "ABORTED" and result not in NAMED:
            continue  # stopped by a person between the record and the notice
        failed = execution.status == "FAILED" and not json.loads(execution.text).get("dry_run")
        if result in ("superseded", "stale"):
            continue  # that was its end before a person stopped it; its undo had nothing to do
        told = any(f"Rollout: {name}" in notice for notice in notices)
        if (failed or result in _TELLING) and not told:
            raise Broken(f"{name} ended with {execution.error or result}, and nobody was told")


def _whole(sim: Simulated) -> None:
    """All instances on one version and serving, unless something says why not."""
    group, fleet = sim.fleet.group, sim.fleet
    if "UndoFailed" in sim.rollout_results().values() or sim.excused:
        return
    if len(fleet.serving) != group.desired:
        raise Broken(f"{len(fleet.serving)} of {group.desired} instances serve at the end")
    if group.desired and set(fleet.versions) != {_meant(sim)}:
        raise Broken(f"the fleet runs {dict(fleet.versions)}, the group says {fleet.saved_version}")


def _wanted(sim: Simulated) -> None:
    """Folders, signatures and other people's objects were no releases."""
    for execution in sim.world.rollouts:
        release = json.loads(execution.text).get("release") or {}
        if release.get("revision") in sim.unwanted:
            raise Broken(f"{execution.name} was started for {release.get('key')}")


def _serves(sim: Simulated) -> None:
    """Nothing was called released of which no target group ever called an instance healthy."""
    if "size changed" in sim.mishaps or not sim.schedule.made.size:
        return  # an empty group has nobody who could be healthy
    never = {one.revision for one in sim.pushed if one.quality == "never healthy"}
    never -= {one.revision for one in sim.pushed if one.quality != "never healthy"}
    results = sim.rollout_results()
    for execution in sim.world.rollouts:
        release = json.loads(execution.text).get("release") or {}
        early = execution.stopped is not None and (
            sim.healed is None or execution.stopped < sim.healed
        )
        if early and release.get("revision") in never and results[execution.name] == "released":
            raise Broken(f"{execution.name} was called released, and nobody was ever healthy")


def _meant(sim: Simulated) -> str:
    saved = sim.fleet.saved_version
    if not saved.startswith("$"):
        return saved
    specification = {"LaunchTemplateId": sim.fleet.template, "Version": saved}
    return str(sim.world.cloud.ec2.resolve_template(specification)["Version"])


def _bearable(sim: Simulated) -> bool:
    """Whether no function was struck more often than it is repeated."""
    struck: Counter[str] = Counter()
    for (_kind, place), times in sim.strikes.fired.items():
        struck[place.function] += times
    stopped = any(kind == "stopped by hand" for kind, _ in sim.strikes.fired)
    return not stopped and max(struck.values(), default=0) <= _MOST_STRIKES


def _newest(sim: Simulated) -> set[str]:
    """The releases of which none is older than another one.

    Events tell of whole seconds. Within one only the sequencer orders the uploads of one key; of
    several keys the order is that in which their events arrived.
    """
    newest = max(one.at for one in sim.pushed)
    last = {one.key: one.revision for one in sim.pushed if (newest - one.at).total_seconds() < 1}
    return set(last.values())


def _released(sim: Simulated) -> None:
    """Nothing but faults that must be survived: the newest release runs."""
    wanted = _newest(sim)
    if not set(sim.fleet.revisions) <= wanted:
        raise Broken(
            f"the fleet runs {dict(sim.fleet.revisions)}, released was {wanted}: "
            f"{sim.rollout_results()}"
        )
    results = sim.rollout_results()
    if not set(results.values()) <= {"released", "superseded", "stale", "nothing-to-do"}:
        raise Broken(f"nothing was wrong with the release, but: {results}")
