"""The live view in the terminal, or plain lines where there is no terminal to draw on."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sandbox.demo.recording import NOBODY, Act, Moment, Show
from sandbox.demo.summary import clock_time, columns, rows

PATH = ("Plan", "Bake", "Publish", "Roll", "Addresses", "Settle")
COLORS = ("cyan", "yellow", "red", "green", "magenta", "blue")
LOG_LINES = 9


class Screen:
    """Draws an act while it runs; outside a terminal it prints each note once."""

    def __init__(self, show: Show) -> None:
        self.show = show
        # A pipe or a CI log has no width of its own; the table needs one.
        width = None if sys.stdout.isatty() else int(os.environ.get("COLUMNS", "128"))
        self.console = Console(highlight=False, width=width)
        self._live = Live(console=self.console, refresh_per_second=8, transient=False)
        self._printed = 0
        self._drawing = self.console.is_terminal

    def __enter__(self) -> Screen:
        if self._drawing:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawing:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line outside of any act."""
        self.console.print(text)

    def begin(self, act: Act) -> None:
        self._printed = 0
        if not self._drawing:
            self.console.print(f"\n[bold]{act.title}[/bold]  {act.promise}")

    def draw(self, act: Act, now: float) -> None:
        if self._drawing:
            self._live.update(self._picture(act, now))
            return
        for note in act.notes[self._printed :]:
            when = clock_time(self.show.cloud_seconds(note.at - act.began))
            self.console.print(f"  {when:>6}  {note.text}")
        self._printed = len(act.notes)

    def finish(self, act: Act) -> None:
        """Leave the finished act on the screen and go on below it."""
        self.draw(act, act.ended)
        if self._drawing:
            self._live.stop()
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()

    def table(self) -> None:
        """The table at the end."""
        table = Table(title=f"Cloud time; the sandbox ran {self.show.speed:g} times as fast")
        for place, name in enumerate(columns()):
            table.add_column(name, justify="left" if place < 2 else "right", no_wrap=place < 2)
        for row in rows(self.show):
            table.add_row(*row)
        self.console.print(table)

    def _picture(self, act: Act, now: float) -> Panel:
        moment = act.moments[-1] if act.moments else None
        parts: list[Text | Table] = [Text(act.promise, style="dim"), self._path(act), Text()]
        if moment:
            parts.append(self._instances(moment))
            parts.append(self._counts(act, moment))
        log = Text()
        for note in act.notes[-LOG_LINES:]:
            style = {"good": "green", "bad": "red"}.get(note.kind, "")
            when = clock_time(self.show.cloud_seconds(note.at - act.began))
            log.append(f"{when:>6}  ", style="dim").append(note.text + "\n", style=style)
        elapsed = clock_time(self.show.cloud_seconds(now - act.began))
        return Panel(
            Group(*parts, Text(), log),
            title=f"[bold]{act.title}[/bold]",
            subtitle=f"{elapsed} of cloud time",
            border_style="green" if act.succeeded else ("red" if act.result else "blue"),
        )

    def _path(self, act: Act) -> Text:
        entered = [state.name for state in act.states]
        line = Text()
        for name in PATH:
            if entered and entered[-1] == name and not act.result:
                line.append(f" {name} ", style="bold reverse")
            else:
                line.append(f" {name} ", style="green" if name in entered else "dim")
            line.append("›", style="dim")
        if "Undo" in entered:
            style = "bold reverse red" if not act.result else "red"
            line.append(" Undo ", style=style)
        return line

    def _instances(self, moment: Moment) -> Table:
        table = Table(box=None, padding=(0, 2), show_edge=False)
        for name in ("instance", "version", "phase", "balancer says", "address"):
            table.add_column(name, style="" if name != "instance" else "dim")
        held = {holder: address for address, holder in moment.holders if holder != NOBODY}
        for seen in moment.instances:
            style = self._color(seen.version)
            faded = "" if seen.phase == "serving" else "dim "
            table.add_row(
                seen.instance_id,
                Text(f"■ {seen.version}", style=faded + style),
                Text(seen.phase, style=faded),
                Text(seen.health, style="green" if seen.health == "healthy" else "yellow"),
                held.get(seen.instance_id, ""),
            )
        return table

    def _color(self, version: str) -> str:
        digits = "".join(letter for letter in version if letter.isdigit())
        return COLORS[(int(digits or 0) - 1) % len(COLORS)]

    def _counts(self, act: Act, moment: Moment) -> Text:
        balancer, addresses = act.served()
        nowhere = [address for address, holder in moment.holders if holder == NOBODY]
        text = Text("\nrequests  ")
        text.append(f"balancer {balancer.answered} answered, ")
        text.append(f"{balancer.lost} lost", style="red" if balancer.lost else "green")
        text.append(f"   addresses {addresses.answered} answered, ")
        text.append(f"{addresses.lost} lost", style="red" if addresses.lost else "green")
        if nowhere:
            text.append(f"   {', '.join(nowhere)} points nowhere", style="bold red")
        if moment.builder:
            text.append("   a builder is at work", style="yellow")
        return text
