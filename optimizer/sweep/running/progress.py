"""Where a sweep stands, told on stderr: one live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console

from optimizer.progress import Line
from optimizer.sweep.running.run import Standing

#: Seconds between two plain lines: at first, and at most, as a sweep may run for days.
PLAIN_SECONDS = 5.0
RARELY_SECONDS = 60.0


def sweep_line(
    console: Console, *, quiet: bool = False
) -> AbstractContextManager[SweepLine | None]:
    """Tell progress for the length of a ``with`` block; nobody listens where it is quiet.

    Examples
    --------
    >>> with sweep_line(Console(stderr=True), quiet=True) as progress:
    ...     progress is None
    True
    """
    return nullcontext() if quiet else SweepLine(console)


class SweepLine(Line):
    """A line that follows a sweep."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._told: Standing | None = None

    def __call__(self, standing: Standing) -> None:
        """Tell where the sweep stands; a log hears of it ever more rarely, and of the end."""
        if self._live is not None:
            self._show(describe(standing))
            return
        now, told = time.monotonic(), self._told
        pause = min(RARELY_SECONDS, max(PLAIN_SECONDS, 0.1 * standing.seconds))
        turned = told is None or told.stopping != standing.stopping
        ended = told is not None and standing.done == standing.total != told.done
        news = told is None or standing.done != told.done
        if turned or ended or (news and now - self._told_at >= pause):
            self._told_at, self._told = now, standing
            self._show(describe(standing))


def describe(standing: Standing) -> str:
    """Write where a sweep stands as one line.

    Examples
    --------
    >>> describe(Standing(1250, 3, 5000, 12.5, 300.0, 100.0))
    '1:40   1,250 of 5,000 done   3 failed   12.5 a second   5:00 left'
    >>> describe(Standing(0, 0, 400))
    '0:00   0 of 400 done'
    """
    parts = [clock(standing.seconds), f"{standing.done:,} of {standing.total:,} done"]
    if standing.failed:
        parts.append(f"{standing.failed:,} failed")
    if standing.rate is not None:
        parts.append(pace(standing.rate))
    if standing.stopping:
        parts.append("stopping")
    elif standing.left is not None:
        parts.append(f"{clock(standing.left)} left")
    return "   ".join(parts)


def pace(rate: float) -> str:
    """Write points a second, or a minute or an hour where they are slow.

    Examples
    --------
    >>> pace(1234.0), pace(0.5), pace(0.002)
    ('1,234 a second', '30 a minute', '7.2 an hour')
    """
    for factor, unit in ((1.0, "a second"), (60.0, "a minute"), (3600.0, "an hour")):
        if rate * factor >= 1.0 or unit == "an hour":
            number = rate * factor
            return f"{number:,.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"
    raise AssertionError("the last unit takes every rate")


def clock(seconds: float) -> str:
    """Write a time.

    Examples
    --------
    >>> clock(59.6), clock(3599.0), clock(90061.0)
    ('0:59', '59:59', '25:01:01')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
