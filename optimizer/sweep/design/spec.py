"""A sweep as it was read: what is swept, how, and where each key of its file stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from optimizer.errors import Problem
from optimizer.highs import Options
from optimizer.keys import Key, Places, dotted
from optimizer.sweep.design.wish import (
    SAMPLED,
    Design,
    Lognormal,
    Measure,
    Normal,
    Range,
    Sense,
    Triangular,
    Uniform,
    Verb,
)
from optimizer.sweep.points import Json, Tied


@dataclass(frozen=True)
class Listed:
    """Values one by one, with their weights where draws favour some."""

    values: tuple[Json, ...]
    weights: tuple[float, ...] | None = None

    @property
    def are_numbers(self) -> bool:
        """Whether they can be put in order, and so correlated."""
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in self.values)


@dataclass(frozen=True)
class Observed:
    """Numbers that were observed, in order of size."""

    values: tuple[float, ...]


#: What an axis may be set to.
Choices = Listed | Range | Normal | Lognormal | Uniform | Triangular | Observed


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep.

    Attributes
    ----------
    name : str
        Its name.
    keys : tuple of str
        Dotted keys that it changes, with wildcards.
    verb : {'values', 'scale', 'delta', 'prices'}
        What it does with a setting.
    choices : Choices or None
        What it may be set to; None where a file of cases says so.
    round : bool
        Whether counts are rounded to whole ones.
    prices : mapping of str to mapping
        Of an axis of prices: by label, the name of a price file by dotted key.
    """

    name: str
    keys: tuple[str, ...]
    verb: Verb | Literal["prices"]
    choices: Choices | None
    round: bool = False
    prices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def at(self) -> Key:
        """Where the file says what it may be set to."""
        return ("axes", self.name, self.verb)


@dataclass(frozen=True)
class Case:
    """A row of a file of cases: its line, its label, and its cells by axis or dotted key."""

    line: int
    label: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """A plan that is evaluated in every case.

    Attributes
    ----------
    actions : Path
        Its list of actions.
    only : bool
        Whether nothing is done beyond it.
    regret : bool
        Whether the best plan of each case is found too.
    """

    actions: Path
    only: bool = False
    regret: bool = True


@dataclass(frozen=True)
class Aim:
    """A measure, and whether it should be large or small."""

    measure: Measure
    sense: Sense


@dataclass(frozen=True)
class Pareto:
    """A front of value against another measure, which is bounded level by level.

    Attributes
    ----------
    second : Aim
        The aim beside value.
    points : int
        How many levels it has.
    ends : tuple of float, optional
        First and last level; None where the base gives them.
    break_ties : bool
        Whether of plans alike in value the one best in the second aim is taken.
    """

    second: Aim
    points: int
    ends: tuple[float, float] | None = None
    break_ties: bool = True


@dataclass(frozen=True)
class Sweep:
    """A sweep file.

    Attributes
    ----------
    file : Path
        The sweep file.
    base : Path
        Folder of the instance that is changed.
    name, summary : str
        What it is called, and what it asks.
    design : Design
        How axes become points.
    samples : int
        How many points are drawn, of designs that draw.
    seed : int
        What the draws start from.
    gap, time_limit_s, nodes, memory_mb : number
        Limits of each point.
    axes : tuple of Axis
        In the order of the file.
    correlations : mapping of pair of str to float
        Rank correlations by the names of two axes.
    cases : tuple of Case
        Rows of the file of cases.
    cases_file : str
        Its name as the sweep file gives it.
    plan : Plan or None
        A plan to evaluate in every case.
    pareto : Pareto or None
        A front to trace in every case.
    files : mapping of str to Path
        Files that points name, by the names under which :attr:`Point.prices` names them.
    read : mapping of str to str
        SHA-256 of every file that says what the points are, the sweep file among them.
    warnings : tuple of Problem
        What is doubtful and was let pass.
    places : Places
        Where every key was typed.
    """

    file: Path
    base: Path
    name: str
    axes: tuple[Axis, ...] = ()
    summary: str = ""
    design: Design = "grid"
    samples: int = 0
    seed: int = 0
    gap: float = 1e-4
    time_limit_s: float = 300.0
    nodes: int | None = None
    memory_mb: int | None = None
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    cases_file: str = ""
    plan: Plan | None = None
    pareto: Pareto | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    read: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    places: Places = field(default_factory=Places, repr=False, compare=False)

    @property
    def options(self) -> Options:
        """How each point is solved."""
        return Options(gap=self.gap, time_limit=self.time_limit_s, nodes=self.nodes)

    @property
    def ties(self) -> Tied | None:
        """What decides among plans alike in value, for :attr:`Base.ties`."""
        if self.pareto is None or not self.pareto.break_ties:
            return None
        measure = self.pareto.second.measure
        return measure if measure in ("capex", "lowest_cash") else None

    @property
    def is_drawn(self) -> bool:
        """Whether its points are drawn."""
        return self.design in SAMPLED

    def problem(
        self, key: Key, message: str, found: str = "", allowed: str = "", hint: str = "",
    ) -> Problem:  # fmt: skip
        """Tell what is wrong with a key of the file."""
        place = self.places.of(key)
        return Problem(message, place.file, place.line, dotted(key), found, allowed, hint)
