"""A sweep file with its base: read together, so that all that is wrong is told at once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from optimizer.errors import InputRefused, Report
from optimizer.load.folder import TOML
from optimizer.sweep.base import Read, read_base
from optimizer.sweep.design.designs import Expansion, axis_problems
from optimizer.sweep.design.file import Drafted, draft_sweep
from optimizer.sweep.design.levels import front_cases
from optimizer.sweep.design.spec import Sweep


class Whole(NamedTuple):
    """A sweep that was read and checked: the file, its base, and its cases.

    Of a front, the cases are those that have one each.
    """

    sweep: Sweep
    read: Read
    cases: Expansion


def read_whole(path: Path) -> Whole:
    """Read a sweep file and its base.

    Raises
    ------
    InputRefused
        With every problem of the file and of the base, and of the axes on it as far as both read.
    """
    drafted = draft_sweep(path)
    report = Report()
    report.extend(drafted.problems)
    read = _base(drafted, report)
    if drafted.sweep is None or read is None or report.refused():
        raise InputRefused(report.sorted((path.name, TOML)))
    return Whole(drafted.sweep, read, front_cases(drafted.sweep, read.document))


def _base(drafted: Drafted, report: Report) -> Read | None:
    """Read the base that a file names, and set the axes of a file with errors against it."""
    if drafted.sweep is None:
        return None
    try:
        read = read_base(drafted.sweep.base)
    except InputRefused as refused:
        report.extend(refused.problems)
        return None
    if drafted.is_refused:
        report.extend(axis_problems(drafted.sweep, read.document))
    return read
