"""Two fleets, every function, every action: whose things were asked for, and what IAM would say.

``python -m tests.template.permissions.matrix`` prints it. The numbers are of all the stories whose
calls are written down, in each of which another fleet lives beside the one that is released, and in
one of which both are. What IAM would say of a thing of another fleet is asked of the simulator.

IAM's fence is "a fleet's", not "this fleet's": a function has one role for all fleets, and a policy
cannot know which of them an event is about. What keeps fleets apart is the code; the column
``other fleet's`` shows it, and ``a stranger's`` shows what IAM holds if the code were led.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from tests.template.permissions import foreign
from tests.template.permissions.asks import Ask
from tests.template.permissions.recording import OTHER, Recorded, recorded
from tests.template.permissions.roles import roles
from tests.template.permissions.simulator import Question, decide, of_roles
from tests.template.reference import table

FLEETS = (OTHER, "shop", "web")
_TAGS = ("aws:ResourceTag/ovenbird:fleet", "ssm:resourceTag/ovenbird:fleet")
_NAMES = re.compile(
    r"parameter/ovenbird/fleets/(?P<parameter>[^/]+)|autoScalingGroupName/(?P<group>.+)"
    r"|execution:[^:]+:(?P<execution>[a-z]+)[-_]"
)
# Doorbells bear the names of images, instances and commands; a lane, a rollout that of its fleet.
_ITEM = re.compile(
    r"(?:lane|fleet|watch|address|rollout|doorbell)#(?:queue-|group-)?(\w+?)(?:[-_]|$)"
)


@dataclass(frozen=True)
class Row:
    """One function's (or machine's) action; numbers are different questions, not calls.

    ``by_iam`` says of a thing of the other fleet: ``code`` where IAM would allow it too, ``IAM``
    where it would not, empty where the action knows no thing of a fleet.
    """

    owner: str
    action: str
    own: int
    others: int
    nobodys: int
    by_iam: str
    strangers: int  # that IAM would allow: without a tag, of another account


def whose(ask: Ask) -> str:
    """The fleet that the thing belongs to which is asked for; empty where it is no fleet's."""
    context = dict(ask.context)
    for tag in _TAGS:
        if tag in context:
            return context[tag][0]
    for item in context.get("dynamodb:LeadingKeys", ()):
        found = _ITEM.match(item)
        return found[1] if found and found[1] in FLEETS else ""
    found = _NAMES.search(ask.resource)
    name = next((each for each in found.groups() if each), "") if found else ""
    return name if name in FLEETS else ""


def is_another_fleets(one: Recorded) -> bool:
    """Whether a function that works for one fleet asked for a thing of another."""
    return bool(one.fleet and whose(one.ask) and whose(one.ask) != one.fleet)


@cache
def rows() -> tuple[Row, ...]:
    """For everything that a role may do, in the order of the template."""
    found: dict[tuple[str, str], list[Recorded]] = {}
    for one in recorded():
        found.setdefault((one.owner, one.ask.action), []).append(one)
    asked = sorted(found.items())
    questions = {key: (_of_another(each), _of_strangers(*key[1:], each)) for key, each in asked}
    allowed = _allowed(
        Question(owner, ask)
        for (owner, _), (others, strangers) in questions.items()
        for ask in (*others, *strangers)
    )
    return tuple(_row(*key, each, *questions[key], allowed) for key, each in asked)


def _row(
    owner: str,
    action: str,
    asked: list[Recorded],
    others: list[Ask],
    strangers: list[Ask],
    allowed: frozenset[Question],
) -> Row:
    own = sum(_is_own(one) for one in asked)
    foreign_ones = sum(is_another_fleets(one) for one in asked)
    led = any(Question(owner, ask) in allowed for ask in others)
    return Row(
        owner,
        action,
        own,
        foreign_ones,
        len(asked) - own - foreign_ones,
        ("code" if led else "IAM") if own else "",
        sum(Question(owner, ask) in allowed for ask in dict.fromkeys(strangers)),
    )


def _is_own(one: Recorded) -> bool:
    return bool(whose(one.ask)) and not is_another_fleets(one)


def _of_another(asked: list[Recorded]) -> list[Ask]:
    own = [one for one in asked if _is_own(one)]
    return [_of(OTHER, one.ask) for one in foreign.kinds(own)] if own else []


def _of_strangers(action: str, asked: list[Recorded]) -> list[Ask]:
    if not changes(action):
        return []
    twins = [foreign.twin(one.ask) for one in asked if one.ask.resource != "*"]
    return twins + [_elsewhere(one.ask) for one in asked if _is_own(one)]


def _of(fleet: str, ask: Ask) -> Ask:
    """The same question about a thing of another fleet."""
    before = whose(ask)
    context = tuple(
        (key, tuple(value.replace(before, fleet) for value in values))
        if key in (*_TAGS, "dynamodb:LeadingKeys")
        else (key, values)
        for key, values in ask.context
    )
    return replace(ask, resource=ask.resource.replace(f"/{before}", f"/{fleet}"), context=context)


def _elsewhere(ask: Ask) -> Ask:
    """The same question about a thing of another account, tagged as ours.

    An image's ARN has no account; there it is one that no fleet's tag is on.
    """
    parts = ask.resource.split(":", 5)
    if not parts[4]:
        return foreign.twin(ask)
    return replace(ask, resource=":".join([*parts[:4], "999999999999", parts[5]]))


def _allowed(asked: Iterable[Question]) -> frozenset[Question]:
    """Which of the questions IAM answers with yes."""
    questions = list(dict.fromkeys(asked))
    answers, _ = decide(of_roles(roles().values()), questions)
    return frozenset(
        question for question, answer in zip(questions, answers, strict=True) if answer.allowed
    )


@cache
def _levels() -> dict[str, bool]:
    first = {one.ask.action: Question(one.owner, one.ask) for one in recorded()}
    _, actions = decide(of_roles(roles().values()), list(first.values()))
    return {name: action.changes for name, action in actions.items()}


def changes(action: str) -> bool:
    """Whether an action that was asked changes something."""
    return _levels()[action]


def text() -> str:
    """The matrix, for people."""
    lines = [
        (
            f"`{row.owner}`",
            f"`{row.action}`",
            str(row.own),
            str(row.others),
            str(row.nobodys),
            row.by_iam,
            str(row.strangers),
        )
        for row in rows()
        if changes(row.action) or row.own
    ]
    head = ("Who", "Action", "own", "other fleet's", "no fleet's", "kept apart by", "a stranger's")
    return table(head, lines)


def main() -> None:
    """Print it, and the sums below."""
    found = rows()
    sys.stdout.write(text())
    sys.stdout.write(
        f"\n{sum(row.own for row in found)} on a thing of its own fleet, "
        f"{sum(row.others for row in found)} on a thing of another fleet; "
        f"IAM would allow {sum(row.strangers for row in found)} on a stranger's.\n"
    )


if __name__ == "__main__":
    main()
