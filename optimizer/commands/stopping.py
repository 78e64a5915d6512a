"""Ctrl-C as a wish, not an accident: the best plan so far, please."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: What is said at the first wish; the line of a terminal is cleared for it.
HEARD = "stopping with the best plan so far; press Ctrl-C again to abandon it\n"
ABANDONED = "abandoned: no plan is written\n"
#: The same where not a plan is looked for but an answer.
HEARD_ANSWER = "stopping with what is known so far; press Ctrl-C again to abandon it\n"


class Abandoned(KeyboardInterrupt):
    """Ctrl-C for the second time: the plan is not wanted."""


@contextmanager
def stoppable(heard: str = HEARD, abandoned: str = ABANDONED) -> Iterator[threading.Event]:
    """Turn Ctrl-C, and a polite request to end, into an event; a second one interrupts.

    Outside the main thread nothing is changed: signals are not for others to take.

    Parameters
    ----------
    heard, abandoned : str
        What is said at the first wish and at the second.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def wish(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            _say(abandoned)
            raise Abandoned
        stop.set()
        _say(heard)

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(words: str) -> None:
    """Write to stderr past all buffers, as a signal may come in the midst of a print."""
    start = "\r\x1b[K" if os.isatty(2) else ""
    with contextlib.suppress(OSError):
        os.write(2, (start + words).encode())


def was_abandoned(end: BaseException | None) -> bool:
    """Whether an end came of a second Ctrl-C, which was told when it came."""
    return _came_of(end, Abandoned)


def was_interrupted(end: BaseException | None) -> bool:
    """Whether an end came of Ctrl-C that the command itself did not hear."""
    return _came_of(end, KeyboardInterrupt)


def _came_of(end: BaseException | None, kind: type[BaseException]) -> bool:
    while end is not None:
        if isinstance(end, kind):
            return True
        end = end.__cause__ or end.__context__
    return False
