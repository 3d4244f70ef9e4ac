"""Recovery: a rollout whose execution has died is undone by an execution of its own.

Whatever fails within an execution is undone there. But a person may stop one, it may come to a
limit of Step Functions, or Lambda may fail until the retries of the undo itself are used up: then
nobody undoes, nobody tells, and the lane is kept. Who notices (the event of the end, the next
rollout of the fleet, a roll-back by hand) begins the execution ``<rollout>_undo`` here. It begins
at UndoRollout, because its input has a failure, and takes the dead one's lane over.

There is one such execution for each rollout. If that one dies too, nothing more is tried.
"""

from __future__ import annotations

from datetime import datetime

from ovenbird.aws import executions
from ovenbird.aws.executions import Execution
from ovenbird.core import releases
from ovenbird.core.quotes import plain
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.rollouts import Death, Rollout

_LONGEST_WORDS = 300


def undo(record: Rollout, death: Death, now: datetime) -> bool:
    """Begin the undo of a rollout whose execution is not running any more.

    Repeating it is harmless: there is one such execution, and its input comes from what does not
    change any more.

    Args:
        death: How its execution died; what was written down before counts.

    Returns:
        Whether it runs now. It does not where there is nothing to undo, where it was begun before
        and has ended, or where somebody else has taken its name.

    IAM: states:StartExecution, dynamodb:UpdateItem
    """
    if record.result or record.wish is None:
        return False
    death = record.died or rollouts.die(record.rollout, death)
    name = releases.undo_name(record.rollout)
    lanes.hand_over(record.fleet, record.rollout, name, now)
    failure = {"Error": death.error, "Cause": death.cause}
    return executions.start(name, {**record.wish, "failure": failure})


def heir(fleet: str, holder: str, execution: Execution | None, now: datetime) -> str:
    """Who has the lane of a holder that is not running: its undo, or nobody (an empty text).

    A rollout that nobody can undo any more is over: whoever takes the lane looks at the group as it
    is.

    Args:
        execution: The holder's, ``None`` where Step Functions does not know it (any more).

    IAM: dynamodb:GetItem, dynamodb:UpdateItem, states:StartExecution
    """
    record = rollouts.read(releases.rollout_of(holder))
    if record is None or record.fleet != fleet:
        return ""
    if undo(record, died(execution, now), now):
        return releases.undo_name(record.rollout)
    if not record.result:
        rollouts.end(
            record.rollout,
            fleet=fleet,
            result="UndoFailed",
            reason="Its execution has died, and so has the one that was to undo it.",
            now=now,
        )
    return ""


def died(execution: Execution | None, now: datetime, error: str = "", cause: str = "") -> Death:
    """How an execution died.

    Args:
        error, cause: As the event of its end has them; Step Functions tells them to nobody else
            who may not read the history.
    """
    if execution is None:
        return Death("ExecutionLost", _lost("", ""), now)
    code = plain(execution.error or error, _LONGEST_WORDS)
    said = plain(execution.cause or cause, _LONGEST_WORDS)
    words = f" ({code}{': ' if code and said else ''}{said})" if code or said else ""
    at = execution.ended or now
    if execution.status == "ABORTED":
        return Death("Stopped", _stopped(words), at)
    return Death("ExecutionLost", _lost(execution.status, words), at)


def _stopped(words: str) -> str:
    return f"Somebody stopped its execution{words}."


def _lost(status: str, words: str) -> str:
    if not status:
        return "Step Functions does not know its execution any more."
    return f"Its execution ended as {status}{words}."
