"""Whether an image had its chance: an instance of it was launched, whatever became of that."""

from __future__ import annotations

import pytest

from ovenbird.core.launches import Launch, excuse

REFUSED = Launch(said="We currently do not have sufficient capacity.")


@pytest.mark.parametrize(
    "launches",
    [
        [Launch("i-1")],
        [Launch("i-1", "Instance became unhealthy.")],
        [REFUSED, Launch("i-1"), REFUSED],
    ],
)
def test_what_was_launched_had_its_chance(launches: list[Launch]) -> None:
    assert excuse(launches) == ""


def test_what_was_refused_had_none_and_the_newest_reason_says_why() -> None:
    said = excuse([Launch(), REFUSED, Launch(said="an older reason")])
    assert "(AWS: We currently do not have sufficient capacity)" in said
    assert "not marked bad" in said


def test_what_was_never_tried_had_none() -> None:
    assert excuse([]).startswith("No instance was launched from the new image, so it is not")
