"""Where a solve stands, told on stderr: one live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from optimizer.highs import Progress

#: The line never gets wider than this, so that it fits a terminal of 100 columns.
WIDTH = 100
#: Seconds between two looks of the live line, and between two plain lines.
LIVE_SECONDS = 0.25
PLAIN_SECONDS = 5.0


def progress_line(
    console: Console, *, quiet: bool = False, label: str = ""
) -> AbstractContextManager[ProgressLine | None]:
    """Tell progress for the length of a ``with`` block; nobody listens where it is quiet.

    A label says whose progress it is, where more than one thing is solved.

    Examples
    --------
    >>> with progress_line(Console(stderr=True), quiet=True) as progress:
    ...     progress is None
    True
    """
    return nullcontext() if quiet else ProgressLine(console, label)


class Line:
    """A line on stderr: it lives in a terminal, and is printed now and then elsewhere.

    Parameters
    ----------
    console : Console
        Where to write: a console on stderr.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._told_at = float("-inf")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def _show(self, words: str) -> None:
        """Put words on the live line, or print them as a line."""
        text = fitted(words)
        if self._live is None:
            self._console.print(text, soft_wrap=True)
        else:
            self._live.update(text, refresh=True)


class ProgressLine(Line):
    """A line that follows a solve, after a label where it has one."""

    def __init__(self, console: Console, label: str = "") -> None:
        super().__init__(console)
        self._label = f"{label}   " if label else ""
        self._told: Progress | None = None
        self._began = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Tell where the solve stands, no more often than anybody reads."""
        now = time.monotonic()
        if self._live is not None:
            if now - self._told_at >= LIVE_SECONDS:
                self._told_at = now
                self._show(self._label + describe(progress))
        elif self._is_news(progress) and now - self._told_at >= PLAIN_SECONDS:
            self._told_at, self._told = now, progress
            self._show(self._label + describe(progress))

    def end(self, value: float | None, bound: float | None, gap: float | None, nodes: int) -> None:
        """Tell where a solve ended, as the last line of a log; a screen has the answer itself."""
        if self._live is None and value is not None:
            seconds = time.monotonic() - self._began
            last = Progress(seconds, value, bound, math.inf if gap is None else gap, nodes)
            words = fitted(self._label + describe(last))
            self._console.print(Text.assemble(words, "   done"), soft_wrap=True)

    def _is_news(self, progress: Progress) -> bool:
        told = self._told
        if told is None:
            return progress.bound is not None or progress.incumbent is not None
        moved = (progress.incumbent, progress.bound) != (told.incumbent, told.bound)
        return moved or progress.stopping != told.stopping


def describe(progress: Progress) -> str:
    """Write progress as one line.

    Examples
    --------
    >>> describe(Progress(75.2, 412.5, 418.0, 0.01333, 1203))
    '1:15   plan 412.500 M$   bound 418.000 M$   gap 1.33 %   1,203 nodes'
    >>> describe(Progress(0.4))
    '0:00   reading the model'
    """
    minutes, seconds = divmod(int(progress.seconds), 60)
    parts = [f"{minutes}:{seconds:02d}"]
    if progress.bound is None and progress.incumbent is None:
        parts.append("reading the model")
    else:
        parts += [_money("plan", progress.incumbent), _money("bound", progress.bound)]
        if progress.incumbent is not None and progress.bound is not None:
            parts.append(_share(progress.gap))
        parts.append(f"{progress.nodes:,} nodes")
    if progress.stopping:
        parts.append("stopping")
    return "   ".join(parts)


def _money(what: str, value: float | None) -> str:
    return f"no {what} yet" if value is None else f"{what} {value:,.3f} M$"


def _share(gap: float) -> str:
    return "gap above 1000 %" if gap > 10 else f"gap {100 * gap:.3g} %"


def fitted(words: str) -> Text:
    """Cut words to the width of a line."""
    text = Text(words, no_wrap=True)
    text.truncate(WIDTH, overflow="ellipsis")
    return text
