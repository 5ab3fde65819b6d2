"""What one sees: a live panel on a terminal, plain lines elsewhere; the same facts in both."""

import time
from types import TracebackType
from typing import Final, Self

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

LINE_EVERY_MINUTES: Final = 10
REFRESH_SECONDS: Final = 0.25


class Facts(Struct):
    """How the demonstration stands."""

    minute: float = 0.0
    minutes: float = 60.0
    exchanges: int = 0
    refused: int = 0
    decisions: int = 0
    sanctioned: int = 0
    honest_touched: int = 0
    news: list[str] = []


class View:
    """Shows facts and news. On a terminal the panel is drawn anew four times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._drawn_at = 0.0
        self._line_at = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the view began."""
        return time.monotonic() - self._began

    def say(self, line: str) -> None:
        """One thing that happened."""
        self._console.print(f"[{self.seconds:5.1f} s] {line}", markup=False, highlight=False)

    def show(self, facts: Facts) -> None:
        """The facts as they are now; drawn or printed when it is time."""
        if self._live is None:
            if facts.minute - self._line_at >= LINE_EVERY_MINUTES:
                self._line_at = facts.minute
                self.say(self._line(facts))
            return
        now = time.monotonic()
        if now - self._drawn_at >= REFRESH_SECONDS:
            self._drawn_at = now
            self._live.update(self._panel(facts), refresh=True)

    def _line(self, facts: Facts) -> str:
        return (
            f"minute {facts.minute:4.0f} of {facts.minutes:.0f}: {facts.exchanges:,} exchanges, {facts.refused:,} refused, "
            f"{facts.decisions:,} decisions, {facts.sanctioned:,} accounts sanctioned, {facts.honest_touched:,} of them honest"
        )

    def _panel(self, facts: Facts) -> Panel:
        table = Table.grid(padding=(0, 2))
        rate = facts.exchanges / self.seconds if self.seconds else 0.0
        for name, value in (
            ("simulated minute", f"{facts.minute:.1f} of {facts.minutes:.0f}"),
            ("exchanges", f"{facts.exchanges:,} ({rate:,.0f} a second)"),
            ("refused by the gateway", f"{facts.refused:,}"),
            ("decisions", f"{facts.decisions:,}"),
            ("accounts sanctioned", f"{facts.sanctioned:,}, of them honest {facts.honest_touched:,}"),
        ):
            table.add_row(name, value)
        return Panel(table, title="guard demo", subtitle=f"{self.seconds:.0f} s", expand=False)
