"""Everything that is wrong with a fleet document, a sentence for each mistake.

The schema says most of it; here is what it cannot say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ovenbird import schema
from ovenbird.core.quotes import plain, quoted
from ovenbird.core.requests import REVISION

# Variables that a shell sets by itself or obeys: it would read another script than was written, or
# refuse to begin. PATH, HOME, LD_PRELOAD and AWS's own lead the owner's two phases, and only them.
_OF_THE_SHELL = frozenset(
    {"BASHOPTS", "BASH_ENV", "BASH_VERSINFO", "ENV", "EUID", "IFS", "PPID", "SHELLOPTS", "UID"}
)
MOST_TAGS = 40
_MOST = 100  # a document of eight kilobytes can have thousands


class _Ambiguous(dict[str, Any]):
    """A JSON object in which some names stand more than once."""

    twice: tuple[str, ...] = ()


def json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For ``json.loads``: the object, which remembers the names that stand in it twice."""
    document = dict(pairs)
    if len(document) == len(pairs):
        return document
    ambiguous = _Ambiguous(document)
    ambiguous.twice = tuple(
        name for name, times in Counter(n for n, _ in pairs).items() if times > 1
    )
    return ambiguous


def of(document: Any, rules: schema.Schema) -> Iterator[str]:
    """The mistakes, none for a good document; at most a hundred of those that the schema finds.

    Args:
        document: As JSON has it, read with :func:`json_object`.
        rules: The schema.
    """
    yield from _written_twice(document)
    wrong = list(islice(schema.errors(rules, document), _MOST))
    yield from wrong
    if not isinstance(document, dict):
        return
    for name, beyond in _BEYOND.items():
        section, written = rules["properties"][name], document.get(name, {})
        if not wrong or not any(schema.errors(section, written)):
            yield from beyond(schema.with_defaults(section, written))


def _written_twice(document: Any) -> Iterator[str]:
    """JSON takes the last of two; their author meant one of them, and nobody knows which."""
    inside: list[tuple[str, Any]] = [("", document)]
    while inside:
        path, value = inside.pop()
        if isinstance(value, _Ambiguous):
            for name in value.twice:
                yield f"{path}{plain(name)} stands twice; it must be there once."
        if isinstance(value, dict):
            inside += [(f"{path}{plain(name)}.", each) for name, each in value.items()]
        elif isinstance(value, list):
            inside += [(path, each) for each in value]


def _beyond_roll(roll: dict[str, Any]) -> Iterator[str]:
    least, most = roll.get("min_healthy_percent"), roll.get("max_healthy_percent")
    if least is not None and most is not None and most - least > 100:
        yield (
            f"roll.max_healthy_percent is {most}; it must be at most 100 more than "
            f"roll.min_healthy_percent, which is {least}."
        )
    checkpoints = roll["checkpoints"]
    if checkpoints and (checkpoints != sorted(checkpoints) or checkpoints[-1] != 100):
        yield (
            f"roll.checkpoints is {quoted(checkpoints)}; it must ascend and end with 100, "
            "or part of the group would stay on the old version."
        )


def _beyond_bake(bake: dict[str, Any]) -> Iterator[str]:
    for name in bake["environment"]:
        if name.startswith("OVENBIRD_"):
            yield (
                f"bake.environment.{plain(name)} is set by Ovenbird; "
                "it must be a name that does not begin with OVENBIRD_."
            )
        if name in _OF_THE_SHELL:
            yield (
                f"bake.environment.{plain(name)} steers the shell itself; it must be a name other"
                f" than {', '.join(sorted(_OF_THE_SHELL))}."
            )
    for name in bake["secrets"]:
        if name not in bake["environment"]:
            yield (
                f"bake.secrets names {quoted(name)}, which is no variable; it must be a name of"
                " bake.environment."
            )


def _beyond_release(release: dict[str, Any]) -> Iterator[str]:
    commits = release.get("codecommit", {"branch": ""})
    if "branch" not in commits and "tag" not in commits:
        yield "release.codecommit has neither branch nor tag; it must have one of them."
    for source, wanted in release.items():
        artifact = wanted.get("artifact", "") if isinstance(wanted, dict) else ""
        rest = artifact.replace(REVISION, "")
        if "{" in rest or "}" in rest:
            yield (
                f"release.{source}.artifact is {quoted(artifact)}; "
                f"{REVISION} must be the only part in braces."
            )


def _beyond_tags(tags: dict[str, str]) -> Iterator[str]:
    if len(tags) > MOST_TAGS:
        yield (
            f"tags has {len(tags)} tags; it must have at most {MOST_TAGS}, because AWS allows 50 "
            "and Ovenbird needs some."
        )


_BEYOND: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "release": _beyond_release,
    "bake": _beyond_bake,
    "roll": _beyond_roll,
    "tags": _beyond_tags,
}
