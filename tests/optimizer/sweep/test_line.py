"""The line of a sweep: live in a terminal, few plain lines elsewhere, else nothing."""

import io
import itertools

import pytest
from rich.console import Console

from optimizer.sweep.running import progress as module
from optimizer.sweep.running.progress import describe, sweep_line
from optimizer.sweep.running.run import Standing

STATES = [
    Standing(0, 0, 40),
    Standing(1, 0, 40, 0.5, 78.0, 2.0),
    Standing(20, 1, 40, 10.0, 2.0, 3.0),
    Standing(21, 1, 40, 10.0, 2.0, 3.1, stopping=True),
    Standing(40, 1, 40, 10.0, 0.0, 5.0, stopping=True),
    Standing(40, 1, 40, 10.0, 0.0, 5.1, stopping=True),
]


def told(console, states=STATES):
    with sweep_line(console) as line:
        for state in states:
            line(state)
    return console.file.getvalue()


def test_a_log_hears_of_the_beginning_of_turns_and_of_the_end():
    lines = told(Console(file=io.StringIO(), width=100)).splitlines()
    assert lines == [describe(STATES[i]) for i in (0, 3, 4)]


def test_a_log_hears_now_and_then_of_what_is_new(monkeypatch):
    ticks = itertools.count(0.0, 6.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(ticks))
    states = [Standing(n // 2, 0, 40) for n in range(8)]
    assert len(told(Console(file=io.StringIO(), width=100), states).splitlines()) == 4
    slow = [Standing(n, 0, 40, seconds=300.0) for n in range(8)]
    assert len(told(Console(file=io.StringIO(), width=100), slow).splitlines()) == 2


def test_a_terminal_shows_one_line_and_clears_it():
    screen = told(Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None))
    assert describe(STATES[2]) in screen
    assert screen.rstrip("\x1b[?25h\n").endswith("\x1b[2K")


@pytest.mark.parametrize("stopping", [True, False])
def test_the_line_fits_a_hundred_columns(stopping):
    monster = Standing(10**12, 10**12, 10**12, 1e-9, 1e12, 1e12, stopping)
    screen = told(Console(file=io.StringIO(), width=200, force_terminal=True), [monster])
    assert len(describe(monster)) > 100
    assert "…" in screen
