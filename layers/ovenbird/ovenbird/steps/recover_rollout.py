"""RecoverRollout: an execution has ended otherwise than well; whatever it left is seen to.

Nearly always there is nothing to do: the rollout was undone, people were told, and its record says
so. Otherwise the execution has died (:mod:`ovenbird.recovery`), and its undo begins. If that one
has died too, people are told that they have to look, and the lane is free.

A run of the other state machine, which looks after addresses, is begun once more.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from ovenbird import answers, recovery, turns
from ovenbird import errors as failures
from ovenbird.answers import Answer
from ovenbird.aws import executions, topic
from ovenbird.aws.executions import Execution
from ovenbird.core import notices, releases
from ovenbird.core.notices import Told
from ovenbird.errors import NotYetVisible
from ovenbird.events import Ignored, states
from ovenbird.events.states import Ended
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.rollouts import Rollout
from ovenbird.settings import settings

_AGAIN = "again-"  # how the name of a second run begins


def step(event: dict[str, Any], now: datetime) -> Answer:
    """See to it; repeating it changes nothing more.

    Raises:
        BadEvent: The event is not well made.
        NotYetVisible: Step Functions still shows the execution as running.
    """
    ours = settings()
    ended = states.parse(
        event, rollouts=ours.state_machine_arn, addresses=ours.addresses_machine_arn
    )
    if isinstance(ended, Ignored):
        return _ignored(ended.reason)
    execution = executions.describe(ended.arn)
    if execution is None:
        return _ignored(f"there is no execution {ended.name}")
    if execution.is_running:
        return _still_runs(ended, execution)
    if ended.of_addresses:
        return _addresses(ended, execution)
    record = rollouts.read(releases.rollout_of(ended.name))
    if record is None or record.wish is None:
        return _ignored(f"the ledger knows no rollout {ended.name}")
    if record.wish.get("dry_run"):
        return _ignored(f"{ended.name} was a dry run, which leaves nothing")
    is_undo = ended.name != record.rollout
    if is_undo and record.died is None:
        return _ignored(f"{ended.name} undoes a rollout whose execution has not died")
    if record.result:
        return _ended(record, now)
    death = recovery.died(execution, now, ended.error, ended.cause)
    if not is_undo and recovery.undo(record, death, now):
        return _begun(record.rollout, now)
    return _given_up(record.rollout, execution, now)


def _still_runs(ended: Ended, execution: Execution) -> Answer:
    """A person has let it go on; or Step Functions does not show its end yet."""
    again = execution.redriven
    if ended.at is None or (again is not None and again >= ended.at):
        return _ignored(f"{ended.name} runs")
    raise NotYetVisible(f"The end of execution {ended.name} cannot be seen yet.")


def _ended(record: Rollout, now: datetime) -> Answer:
    """It has a result; only what comes after the record may be missing."""
    _free(record)
    if record.result == "UndoFailed" and record.died is not None and not record.notified:
        _tell(record, record.reason, now)
    return answers.done(f"Rollout {record.rollout} has ended ({record.result}).", ignored="ended")


def _begun(rollout: str, now: datetime) -> Answer:
    record = _read(rollout)
    undo = releases.undo_name(rollout)
    if record.plan is not None and not record.warned and not record.notified:
        # The undo may take as long as the roll did, and tells of its end only.
        topic.publish(notices.cut_short(_told(record), cause=_cause(record), execution=undo))
        rollouts.warned(rollout, now)
    return answers.done(f"{_cause(record)} It is undone by execution {undo}.", undo=undo)


def _given_up(rollout: str, execution: Execution, now: datetime) -> Answer:
    """Once, and no more: whatever ended the second execution would end a third one too."""
    record = _read(rollout)
    said = (
        f"Execution {releases.undo_name(rollout)}, which was to undo it, has ended too"
        f" ({execution.status}{': ' if execution.error else ''}{execution.error})."
    )
    rollouts.end(
        rollout,
        fleet=record.fleet,
        result="UndoFailed",
        reason=f"{_cause(record)} {said}",
        now=now,
    )
    _free(record)
    _tell(record, said, now)
    return answers.done(f"{_cause(record)} {said} A person must look.", result="UndoFailed")


def _free(record: Rollout) -> None:
    """The lane, if the dead one or its undo still has it, and its place in the queue."""
    lane = lanes.read(record.fleet)
    if releases.rollout_of(lane.holder) == record.rollout:
        turns.wake(lanes.release(record.fleet, lane.holder, lane.fence))
    elif lane.queued == record.rollout:
        lanes.unqueue(record.fleet, record.rollout)


def _tell(record: Rollout, undone: str, now: datetime) -> None:
    """Tell people; twice rather than never."""
    notice = notices.failed(
        _told(record),
        error="UndoFailed",
        cause=_cause(record),
        undone=undone,
        took=notices.since(record.began, now) if record.began else None,
    )
    topic.publish(notice)
    rollouts.notified(record.rollout, now)


def _told(record: Rollout) -> Told:
    wish = record.wish or {}
    release = wish.get("release") or {}
    return Told(
        record.fleet,
        record.rollout,
        wish.get("action", "release"),
        revision=release.get("revision", ""),
        description=release.get("description", ""),
        asked=wish.get("reason") or "",
    )


def _read(rollout: str) -> Rollout:
    """What is known of it by now."""
    record = rollouts.read(rollout)
    assert record is not None  # it was there a moment ago, and is never deleted
    return record


def _cause(record: Rollout) -> str:
    return record.died.cause if record.died else ""


def _addresses(ended: Ended, execution: Execution) -> Answer:
    """Begin a second run with the same event, unless it has failed by a name of ours."""
    if execution.status == "ABORTED":
        return _ignored(f"somebody stopped {execution.name}; the next launch begins another run")
    error = execution.error or ended.error
    if hasattr(failures, error) or execution.name.startswith(_AGAIN) or not ended.input:
        return _ignored(f"{execution.name} ended as {error or execution.status}")
    name = _AGAIN + hashlib.sha256(execution.name.encode()).hexdigest()[:32]
    executions.start_addresses(name, ended.input)
    return answers.done(f"{execution.name} has died; {name} goes on looking after the addresses.")


def _ignored(reason: str) -> Answer:
    return answers.done(f"Ignored: {reason}.", ignored=reason)
