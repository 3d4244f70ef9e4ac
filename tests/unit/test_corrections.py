"""What the sandbox corrects of its emulator, as far as no deployed stack is needed for it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import corrections


@pytest.mark.parametrize(
    ("written", "cut"),
    [
        ("2026-11-25T18:15:47.027000+00:00", "2026-11-25T18:15:47Z"),
        ("2026-11-25T18:15:47.999Z", "2026-11-25T18:15:47Z"),
        ("2026-11-25T20:15:47+02:00", "2026-11-25T18:15:47Z"),
        ("2026-11-25T18:15:47", "2026-11-25T18:15:47Z"),
        (1795630547.9, 1795630547),
        ("soon", "soon"),
    ],
)
def test_events_have_whole_seconds(written: Any, cut: Any) -> None:
    assert corrections.whole_seconds(written) == cut


def test_two_events_of_one_second_have_one_time() -> None:
    """Else neither the sandbox nor the demo would ever meet a tie."""
    seen: list[dict[str, Any]] = []
    dispatch = corrections._in_whole_seconds(lambda event, *_: seen.append(event))
    for fraction in ("027000", "950001"):
        dispatch({"Source": "aws.s3", "Time": f"2026-11-25T18:15:47.{fraction}+00:00"}, None)
    assert [event["Time"] for event in seen] == ["2026-11-25T18:15:47Z"] * 2
    dispatch({"Source": "ovenbird"})
    assert seen[-1] == {"Source": "ovenbird"}


def test_a_wait_may_read_its_time_out_from_the_state() -> None:
    class Machines:
        @staticmethod
        def _resolve_path(path: str, given: dict[str, Any]) -> Any:
            assert path == "$.bake.look_again_after"
            return given["bake"]["look_again_after"]

    seen: list[dict[str, Any]] = []
    execute = corrections._timeouts_by_path(Machines)(lambda state, *_: seen.append(state))
    execute({"TimeoutSecondsPath": "$.bake.look_again_after"}, {"bake": {"look_again_after": 15}})
    execute({"Resource": "x"}, {})
    assert seen == [
        {"TimeoutSecondsPath": "$.bake.look_again_after", "TimeoutSeconds": 15},
        {"Resource": "x"},
    ]
