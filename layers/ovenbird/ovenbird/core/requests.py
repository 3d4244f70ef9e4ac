"""Requests: what an event of our own, or a person, may bring to a fleet.

Whoever may put an event on the bus, or invoke a function, does not choose what a fleet runs: its
document says which artefacts may come. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovenbird.core import patterns, sources
from ovenbird.core.quotes import plain, quoted
from ovenbird.core.sources import ReleaseSources

REVISION = "{revision}"  # in the place of an artefact
_LONGEST_PLACE = 200


def not_from(wanted: ReleaseSources, sender: tuple[str, str], home: tuple[str, str]) -> str | None:
    """Why the event Release Requested is not listened to, or ``None`` where it is.

    Args:
        sender: The region and account that it was put on a bus in.
        home: Our own.
    """
    if wanted.events is None:
        return "release.events is false"
    region, account = sender
    if sender != home and account not in wanted.events.accounts:
        return (
            f"it was sent in account {plain(account)} and region {plain(region)}, and Ovenbird is "
            f"in {home[1]} and {home[0]}; release.events.accounts can name the account"
        )
    return None


def not_brought(
    wanted: ReleaseSources, bucket: str, key: str, revision: str, *, by_hand: bool
) -> str | None:
    """Why a request may not bring the artefact, or ``None`` where it may.

    A person may bring anything to a fleet whose document names no source: there it is the only
    one, and the permission to invoke the function the only fence.
    """
    place = f"s3://{bucket}/{key}"
    said = f"{plain(place, _LONGEST_PLACE)} is no artefact that a request may bring"
    if key.endswith("/"):
        return f"{said}: it is a folder"
    events = wanted.events
    if events is not None and events.artifact is not None:
        if not patterns.matches(events.artifact, place):
            return f"{said}; it must be like {plain(events.artifact)} (release.events.artifact)"
        left_out = patterns.first_match(events.exclude, place)
        if left_out is not None:
            return f"{said}: release.events.exclude leaves it out, by {quoted(left_out)}"
        return None
    if by_hand and not wanted.named:
        return None
    if wanted.s3 is not None:
        names = {"bucket": bucket, "key": key}
        if sources.against(wanted.s3, "s3", names) is None:
            return None
    places = dict(_places(wanted))
    if any(each.replace(REVISION, revision) == place for each in places.values()):
        return None
    if wanted.s3 is not None:
        places["s3"] = f"s3://{wanted.s3.bucket}/{wanted.s3.key}"
    if not places:
        return f"{said}; release.events.artifact can name it"
    like = " or ".join(f"{plain(each)} (release.{kind})" for kind, each in places.items())
    return f"{said}; it must be like {like}, or release.events.artifact can name it"


def _places(wanted: ReleaseSources) -> Iterator[tuple[str, str]]:
    for kind, source in wanted.named.items():
        place = getattr(source, "artifact", None)
        if place is not None:
            yield kind, place
