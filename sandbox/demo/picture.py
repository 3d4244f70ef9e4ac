"""One rollout as a picture (SVG): states, instances by version, addresses, requests, over time."""

from __future__ import annotations

import html
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

from sandbox.demo.recording import NOBODY, Act, Moment, Show
from sandbox.demo.summary import clock_time

T = TypeVar("T")
WIDTH, LEFT, RIGHT = 1060, 128, 20
STATE_COLORS = {
    "Plan": "#64748b",
    "Bake": "#d08c2f",
    "Publish": "#7a5aa6",
    "Roll": "#2f6f8f",
    "Addresses": "#5f8a3a",
    "Settle": "#3d7d5a",
    "Undo": "#b5443c",
    "Queue": "#94a3b8",
}


class _Axis:
    """Turns moments into pixels."""

    def __init__(self, act: Act) -> None:
        self.began = act.began
        self.span = max(act.ended - act.began, 0.001)

    def x(self, at: float) -> float:
        share = min(max((at - self.began) / self.span, 0.0), 1.0)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def picture(show: Show, act: Act, colors: dict[str, str]) -> str:
    axis = _Axis(act)
    parts, top = [], 6.0
    parts.append(_states(act, axis, top))
    top += 44
    tallest = max((len(moment.instances) for moment in act.moments), default=1)
    unit = 26.0
    parts.append(_instances(act, axis, colors, top, unit, tallest))
    top += unit * tallest + 14
    if any(moment.builder for moment in act.moments):
        parts.append(_builder(act, axis, top))
        top += 24
    for address in sorted({name for moment in act.moments for name, _ in moment.holders}):
        parts.append(_address(act, axis, colors, address, top))
        top += 24
    parts.append(_requests(act, axis, top))
    top += 34
    parts.append(_ruler(show, act, axis, top))
    return (
        f'<svg viewBox="0 0 {WIDTH} {top + 22:.0f}" role="img" '
        f'aria-label="{html.escape(act.title)}">{"".join(parts)}</svg>'
    )


def _label(y: float, text: str) -> str:
    return f'<text x="{LEFT - 10}" y="{y:.1f}" text-anchor="end">{html.escape(text)}</text>'


def _bar(x1: float, x2: float, y: float, height: float, color: str, title: str, **more: str) -> str:
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return (
        f'<rect x="{x1:.1f}" y="{y:.1f}" width="{max(x2 - x1, 1):.1f}" height="{height:.1f}" '
        f'rx="2" fill="{color}"{extra}><title>{html.escape(title)}</title></rect>'
    )


def _states(act: Act, axis: _Axis, top: float) -> str:
    parts = [_label(top + 18, "state machine")]
    spans = _spans([(entered.at, entered.name) for entered in act.states], act.ended)
    for began, ended, name in spans:
        x1, x2 = axis.x(began), axis.x(ended)
        parts.append(_bar(x1, x2 - 1, top, 26, STATE_COLORS.get(name, "#64748b"), name))
        if x2 - x1 > 8 * len(name):
            parts.append(
                f'<text x="{(x1 + x2) / 2:.1f}" y="{top + 17:.1f}" text-anchor="middle" '
                f'style="fill:#fff">{html.escape(name)}</text>'
            )
    return "".join(parts)


def _instances(
    act: Act, axis: _Axis, colors: dict[str, str], top: float, unit: float, tallest: int
) -> str:
    """One lane for each instance, in the order they came; a lane is used again when it is free."""
    parts = [_label(top + 17, "instances")]
    lanes: list[str] = [""] * tallest
    open_bars: dict[str, tuple[float, int, str, str]] = {}  # id → since, lane, version, phase

    def close(instance_id: str, until: float) -> None:
        since, lane, version, phase = open_bars.pop(instance_id)
        faded = {"starting": "0.35", "leaving": "0.2"}.get(phase, "1")
        parts.append(
            _bar(
                axis.x(since),
                axis.x(until),
                top + lane * unit,
                unit - 6,
                colors.get(version, "#999"),
                f"{instance_id} {version}, {phase}",
                fill_opacity=faded,
            )
        )

    for moment in act.moments:
        present = {seen.instance_id: seen for seen in moment.instances}
        for instance_id in [known for known in open_bars if known not in present]:
            lane = open_bars[instance_id][1]
            close(instance_id, moment.at)
            lanes[lane] = ""
        for instance_id, seen in present.items():
            known = open_bars.get(instance_id)
            if known and known[3] == seen.phase:
                continue
            if known:
                close(instance_id, moment.at)
                lane = known[1]
            else:
                lane = lanes.index("") if "" in lanes else len(lanes)
                if lane == len(lanes):
                    lanes.append("")
                lanes[lane] = instance_id
            open_bars[instance_id] = (moment.at, lane, seen.version, seen.phase)
    for instance_id in list(open_bars):
        close(instance_id, act.ended)
    return "".join(parts)


def _builder(act: Act, axis: _Axis, top: float) -> str:
    parts = [_label(top + 12, "builder")]
    changes: list[tuple[float, bool]] = []
    for moment in act.moments:
        if not changes or changes[-1][1] != moment.builder:
            changes.append((moment.at, moment.builder))
    parts.extend(
        _bar(axis.x(began), axis.x(ended), top, 14, STATE_COLORS["Bake"], "a builder is there")
        for began, ended, there in _spans(changes, act.ended)
        if there
    )
    return "".join(parts)


def _address(act: Act, axis: _Axis, colors: dict[str, str], address: str, top: float) -> str:
    holders = [
        (moment.at, dict(moment.holders).get(address, NOBODY), moment) for moment in act.moments
    ]
    parts = [_label(top + 12, address)]
    changes: list[tuple[float, tuple[str, str]]] = []
    for at, holder, moment in holders:
        entry = (holder, moment.version_of(holder))
        if not changes or changes[-1][1][0] != holder:
            changes.append((at, entry))
    for began, ended, (holder, version) in _spans(changes, act.ended):
        color = colors.get(version, "#222") if holder else "#ffffff"
        title = f"{address} → {holder} ({version})" if holder else f"{address} points nowhere"
        outline = {} if holder else {"stroke": "#b5443c"}
        parts.append(_bar(axis.x(began), axis.x(ended) - 2, top, 14, color, title, **outline))
    return "".join(parts)


def _requests(act: Act, axis: _Axis, top: float) -> str:
    """Answered requests each slice of time as a line; a red mark where one was lost."""
    parts = [_label(top + 18, "requests")]
    rates = list(_rates(act.moments))
    peak = max((rate for _, rate, _ in rates), default=1.0) or 1.0
    points = " ".join(
        f"{axis.x(at):.1f},{top + 26 - 22 * rate / peak:.1f}" for at, rate, _ in rates
    )
    parts.append(f'<polyline points="{points}" fill="none" stroke="#94a3b8" stroke-width="1.5"/>')
    parts.extend(
        f'<circle cx="{axis.x(at):.1f}" cy="{top + 26:.1f}" r="4" fill="#b5443c">'
        f"<title>{lost} lost</title></circle>"
        for at, _, lost in rates
        if lost
    )
    return "".join(parts)


def _rates(moments: list[Moment]) -> Iterable[tuple[float, float, int]]:
    step = max(len(moments) // 120, 1)
    picked = moments[::step]
    for before, after in pairwise(picked):
        seconds = max(after.at - before.at, 0.001)
        answered = (
            after.balancer.answered
            + after.addresses.answered
            - before.balancer.answered
            - before.addresses.answered
        )
        lost = (
            after.balancer.lost
            + after.addresses.lost
            - before.balancer.lost
            - before.addresses.lost
        )
        yield after.at, answered / seconds, lost


def _ruler(show: Show, act: Act, axis: _Axis, top: float) -> str:
    total = show.cloud_seconds(axis.span)
    step = next((s for s in (10, 30, 60, 120, 300, 600, 1800) if total / s <= 12), 3600)
    parts = [f'<line x1="{LEFT}" y1="{top}" x2="{WIDTH - RIGHT}" y2="{top}" stroke="#c9c3b5"/>']
    for tick in range(0, int(total) + 1, step):
        x = axis.x(act.began + tick / show.speed)
        parts.append(
            f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + 5}" stroke="#c9c3b5"/>'
            f'<text x="{x:.1f}" y="{top + 18}" text-anchor="middle">{clock_time(tick)}</text>'
        )
    return "".join(parts)


def _spans(changes: list[tuple[float, T]], ended: float) -> Iterable[tuple[float, float, T]]:
    for place, (began, what) in enumerate(changes):
        until = changes[place + 1][0] if place + 1 < len(changes) else ended
        yield began, until, what
