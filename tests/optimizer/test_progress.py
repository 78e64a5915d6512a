"""The progress line: one live line in a terminal, few plain lines elsewhere, else nothing."""

import io
import itertools
import re

import pytest
from rich.console import Console

from optimizer import progress as module
from optimizer.highs import Progress
from optimizer.progress import describe, progress_line

STATES = [
    Progress(0.1),
    Progress(1.0, None, 500.0),
    Progress(2.0, 400.0, 480.0, 0.2, 10),
    Progress(3.0, 400.0, 480.0, 0.2, 20),
    Progress(9.0, 410.0, 450.0, 0.1, 4000),
    Progress(9.5, 410.0, 450.0, 0.1, 4001, stopping=True),
]


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves on by six seconds at every look."""
    ticks = itertools.count(0.0, 6.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: next(ticks))


def told(console, states=STATES):
    with progress_line(console) as line:
        for state in states:
            line(state)
    return console.file.getvalue()


def test_plain_lines_come_with_news_only(clock):
    lines = told(Console(file=io.StringIO(), width=100)).splitlines()
    assert lines == [describe(STATES[i]) for i in (1, 2, 4, 5)]


def test_plain_lines_do_not_come_thick_and_fast():
    assert len(told(Console(file=io.StringIO(), width=100)).splitlines()) == 1


def test_a_terminal_shows_one_line_and_clears_it(clock):
    screen = told(Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None))
    assert describe(STATES[4]) in screen
    assert screen.rstrip("\x1b[?25h\n").endswith("\x1b[2K")


def test_the_line_fits_a_hundred_columns(clock):
    monster = Progress(360000.0, -123456789.123, 987654321.987, 99.0, 10**12, stopping=True)
    screen = told(Console(file=io.StringIO(), width=200), [monster])
    assert max(map(len, screen.splitlines())) <= 100


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (STATES[0], ["0:00", "reading the model"]),
        (STATES[1], ["no plan yet", "bound 500.000 M$"]),
        (STATES[2], ["plan 400.000 M$", "gap 20 %", "10 nodes"]),
        (STATES[5], ["stopping"]),
        (Progress(3.0, 1.0, None, nodes=2), ["plan 1.000 M$", "no bound yet"]),
        (Progress(3.0, 1e-9, 1.0, 1e9), ["gap above 1000 %"]),
    ],
)
def test_a_line_says_what_is_known(state, words):
    assert all(re.search(re.escape(word), describe(state)) for word in words)
    assert "gap" not in describe(STATES[1])


def test_quiet_means_nobody_listens():
    with progress_line(Console(file=io.StringIO()), quiet=True) as line:
        assert line is None
