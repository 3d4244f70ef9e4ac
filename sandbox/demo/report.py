"""The picture of the show: one self-contained page that a person can pass on."""

from __future__ import annotations

import html
from pathlib import Path

from sandbox.demo.picture import picture
from sandbox.demo.recording import Act, Note, Show
from sandbox.demo.summary import clock_time, columns, rows

PALETTE = ("#2f6f8f", "#e08a1e", "#b5443c", "#5f8a3a", "#7a5aa6", "#8a6d3b")
STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #f6f4ef; color: #22262b; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 30px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 0; }
p { margin: 6px 0; } .quiet { color: #667; }
section { background: #fff; border: 1px solid #e3dfd5; border-radius: 12px; padding: 20px 20px 12px;
  margin: 22px 0; }
.badge { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 13px;
  color: #fff; background: #3d7d5a; vertical-align: 2px; margin-left: 8px; }
.badge.bad { background: #b5443c; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 10px; border-bottom: 1px solid #eee8dc; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; } th { font-weight: 600; color: #556; }
ol { margin: 10px 0 6px; padding: 0; list-style: none; font-size: 14px; columns: 2;
  column-gap: 36px; }
li { break-inside: avoid; padding: 1px 0; } li time { color: #889; display: inline-block;
  width: 58px; font-variant-numeric: tabular-nums; }
li.bad { color: #b5443c; } li.good { color: #2f6d4e; }
svg { width: 100%; height: auto; display: block; margin-top: 10px; }
svg text { font: 12px system-ui, sans-serif; fill: #445; }
.legend span { display: inline-block; margin-right: 16px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px; }
@media (max-width: 700px) { ol { columns: 1; } }
"""


def write(show: Show, path: Path) -> None:
    """Write the page; it loads nothing from anywhere."""
    path.write_text(page(show), encoding="utf-8")


def page(show: Show) -> str:
    """The whole page as HTML."""
    colors = _colors(show)
    legend = "".join(
        f'<span><i style="background:{color}"></i>{html.escape(version)}</span>'
        for version, color in colors.items()
    )
    acts = "".join(_section(show, act, colors) for act in show.acts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Ovenbird: four rollouts</title><style>{STYLE}</style></head><body><main>"
        "<h1>Four rollouts of the fleet “web”</h1>"
        '<p class="quiet">Recorded by <code>make demo</code> in the embedded AWS. Times are cloud '
        f"time: the sandbox ran {show.speed:g} times as fast. Requests were real HTTP, asked all "
        "the time at the balancer and at both Elastic IPs.</p>"
        f'<p class="legend">{legend}<span class="quiet">pale: starting, or leaving</span></p>'
        f"{_table(show)}{acts}</main></body></html>\n"
    )


def _table(show: Show) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows(show)
    )
    return f"<section><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></section>"


def _section(show: Show, act: Act, colors: dict[str, str]) -> str:
    bad = "" if act.succeeded else " bad"
    notes = "".join(_note(show, act, note) for note in sorted(act.notes, key=lambda note: note.at))
    return (
        f"<section><h2>{html.escape(act.title)}"
        f'<span class="badge{bad}">{html.escape(act.outcome)}</span></h2>'
        f'<p class="quiet">{html.escape(act.promise)}</p>'
        f"<p>{html.escape(act.reason)}</p>{picture(show, act, colors)}<ol>{notes}</ol></section>"
    )


def _colors(show: Show) -> dict[str, str]:
    versions = sorted(
        {seen.version for act in show.acts for moment in act.moments for seen in moment.instances}
    )
    return {version: PALETTE[place % len(PALETTE)] for place, version in enumerate(versions)}


def _note(show: Show, act: Act, note: Note) -> str:
    when = clock_time(show.cloud_seconds(note.at - act.began))
    return f'<li class="{note.kind}"><time>{when}</time>{html.escape(note.text)}</li>'
