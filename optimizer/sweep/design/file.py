"""Reading a sweep file: everything at once, every problem told.

A sweep file says which instance is changed, along which axes, and how axes become points::

    [sweep]
    base = "../texas"
    design = "grid"

    [axes.capex]
    key = "finance.capex_budget_musd"
    values = [200, 300, 400]

    [axes.firm]
    key = "sites.*.firm_mw"
    scale = { from = 0.8, to = 1.2, count = 5 }

What can be judged without the base is judged here; what each key of it takes,
:func:`optimizer.sweep.design.designs.points_of` asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from optimizer.errors import InputRefused, Problem, Report, did_you_mean, listed
from optimizer.keys import Key, Place, Places, value_at
from optimizer.load.files import MOST_TOML_BYTES, Files
from optimizer.load.tables import Sheet, read_sheet
from optimizer.load.toml import read_toml
from optimizer.pins import read_actions
from optimizer.sweep.design.axes import AxisReader
from optimizer.sweep.design.correlations import read_correlations
from optimizer.sweep.design.prices import PriceFiles
from optimizer.sweep.design.reading import Reading, file_at
from optimizer.sweep.design.spec import Aim, Axis, Case, Listed, Pareto, Plan, Sweep
from optimizer.sweep.design.wish import MOST_POINTS, SAMPLED, ParetoTable, PlanTable, SweepTable

#: Tables of a sweep file.
TABLES = ("sweep", "axes", "correlations", "plan", "pareto")
#: Column of a file of cases that labels its rows.
LABEL = "case"


class Drafted(NamedTuple):
    """A sweep file as far as it reads.

    Attributes
    ----------
    sweep : Sweep or None
        What reads of it; None where it names no base. An axis of which only the keys read has no
        choices.
    problems : tuple of Problem
        What shows without the base; an error among them says that there is more to it.
    """

    sweep: Sweep | None
    problems: tuple[Problem, ...]

    @property
    def is_refused(self) -> bool:
        """Whether there is an error."""
        return any(problem.severity == "error" for problem in self.problems)


def draft_sweep(path: Path) -> Drafted:
    """Read a sweep file as far as that goes, so that more can be said of it at once."""
    reader = _FileReader(Path(path))
    sweep = reader.run()
    return Drafted(sweep, reader.problems())


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file.

    Parameters
    ----------
    path : Path
        The TOML file; files that it names lie relative to it.

    Returns
    -------
    Sweep
        What is swept and how.

    Raises
    ------
    InputRefused
        With every problem that shows without the base.
    """
    drafted = draft_sweep(path)
    if drafted.sweep is None or drafted.is_refused:
        raise InputRefused(drafted.problems)
    return drafted.sweep


@dataclass
class _FileReader:
    """One reading of a sweep file, table by table."""

    path: Path
    report: Report = field(default_factory=Report)
    held: dict[str, Any] = field(default_factory=dict)
    half: tuple[Axis, ...] = ()

    def __post_init__(self) -> None:
        name = self.path.name or str(self.path)
        self.files = Files(self.path.parent, self.report)
        self.reading = Reading(self.report, Places(root=Place(name)))
        self.prices = PriceFiles(self.reading, self.files)
        self.name = name

    def problems(self) -> Any:
        """Give what was found, the sweep file's own first."""
        return self.report.sorted((self.name,))

    def run(self) -> Sweep | None:
        """Read everything that can be read; None where no base is named."""
        text = self.files.read(self.path, self.name, most=MOST_TOML_BYTES)
        lost: set[Key] = set()
        held = read_toml(text, self.name, self.report, self.reading.places, lost) if text else None
        if held is None:
            return None
        self.held = held
        self.reading.lost = lost
        self._strangers()
        table = self._table()
        base = self._base(table)
        axes = self._axes(table)
        cases = self._cases(table, axes) if table else ()
        self._counts(table, axes)
        pairs = read_correlations(self.reading, self.held.get("correlations"), axes, table)
        plan, pareto = self._plan(), self._pareto()
        self._asks_something(table)
        if base is None:
            return None
        table = table or SweepTable(base=str(base))
        return self._sweep(table, base, axes, cases, pairs, plan, pareto)

    def _asks_something(self, table: SweepTable | None) -> None:
        """Refuse a file that asks for the base and nothing else."""
        asks = any(self.held.get(name) for name in ("axes", "plan", "pareto"))
        unknown = any(name not in TABLES for name in self.held)
        if not asks and not unknown and (table is None or table.design != "csv"):
            self.reading.complain(("axes",), "the sweep has no axes", hint="add [axes.<name>]")

    def _sweep(self, table: SweepTable, base: Path, axes: Mapping[str, Axis],
               cases: tuple[Case, ...], pairs: dict[tuple[str, str], float], plan: Plan | None,
               pareto: Pareto | None) -> Sweep:  # fmt: skip
        return Sweep(
            file=self.path, base=base, name=table.name or self.path.stem,
            axes=(*axes.values(), *self.half),
            summary=table.summary, design=table.design, samples=table.samples or 0,
            seed=table.seed, gap=table.gap, time_limit_s=table.time_limit_s, nodes=table.nodes,
            memory_mb=table.memory_mb, correlations=pairs, cases=cases,
            cases_file=table.cases or "", plan=plan, pareto=pareto,
            files=dict(self.prices.known), read=dict(sorted(self.files.hashes.items())),
            warnings=self.problems(), places=self.reading.places,
        )  # fmt: skip

    # --- [sweep] ---------------------------------------------------------------------------

    def _strangers(self) -> None:
        for name in self.held:
            if name not in TABLES:
                hint = did_you_mean(name, TABLES)
                if name in SweepTable.model_fields:
                    hint = f"`{name}` is a key of [sweep]"
                self.reading.complain((name,), "unknown key", name, listed(TABLES), hint)

    def _table(self) -> SweepTable | None:
        if "sweep" not in self.held:
            near = any(did_you_mean(name, ["sweep"]) for name in self.held)
            if not near:
                hint = 'add [sweep] with base = "the folder of the instance"'
                self.reading.complain(("sweep",), "the table sweep is missing", hint=hint)
            return None
        table = self.reading.block(("sweep",), SweepTable, self.held["sweep"])
        if table is None:
            return None
        if table.name is None:
            self._name_of_file()
        self._agrees(table)
        return table

    def _name_of_file(self) -> None:
        stem = self.path.stem
        if not Reading(Report(), Places()).name((), stem):
            message = "the name of the file cannot be the name of the sweep"
            self.reading.complain(("sweep", "name"), message, repr(stem), hint="give sweep.name")

    def _agrees(self, table: SweepTable) -> None:
        """See that samples and cases are given where the design needs them, and only there."""
        complain, design = self.reading.complain, table.design
        if design in SAMPLED and table.samples is None:
            hint = "give samples, as samples = 128"
            complain(
                ("sweep", "samples"), f"the design {design} needs to know how many", hint=hint
            )
        if design not in SAMPLED and table.samples is not None:
            hint = f"take it out, or choose a design that draws: {listed(SAMPLED)}"
            complain(("sweep", "samples"), f"the design {design} draws nothing", hint=hint)
        if design == "csv" and table.cases is None:
            complain(("sweep", "cases"), "the design csv needs a file of cases")
        if design != "csv" and table.cases is not None:
            hint = 'take it out, or write design = "csv"'
            complain(("sweep", "cases"), f"the design {design} reads no cases", hint=hint)
        if design == "sobol" and table.samples and table.samples & (table.samples - 1):
            power = 1 << (table.samples.bit_length() - 1)
            hint = f"take {power} or {2 * power}"
            message = "Sobol points are even only where their number is a power of two"
            self.reading.warn(("sweep", "samples"), message, str(table.samples), hint)

    def _base(self, table: SweepTable | None) -> Path | None:
        """Find the folder of the base, also where something else is wrong with its table."""
        at: Key = ("sweep", "base")
        typed = table.base if table else value_at(self.held, at)
        if not isinstance(typed, str):
            return None
        folder = self.path.parent / typed
        try:
            folder = folder.resolve()
            is_folder, exists = folder.is_dir(), folder.exists()
        except (OSError, ValueError):
            is_folder = exists = False
        if not exists:
            near = _folders(folder.parent)
            hint = did_you_mean(folder.name, near) or "the path is relative to the sweep file"
            self.reading.complain(at, "there is no such folder", typed, listed(near), hint)
        elif not is_folder:
            hint = "name the folder that holds instance.toml"
            message = "an instance is a folder, and this is a file"
            self.reading.complain(at, message, typed, hint=hint)
        elif not (folder / "instance.toml").is_file():
            self.reading.complain(at, "the folder holds no instance.toml", typed)
        else:
            return folder
        return None

    # --- axes and cases --------------------------------------------------------------------

    def _axes(self, table: SweepTable | None) -> dict[str, Axis]:
        design = table.design if table else None
        reader = AxisReader(self.reading, self.files, self.prices, design)
        read = {
            name: reader.read(name, held)
            for name, held in self.reading.tables(("axes",), self.held.get("axes", {}))
        }
        self.half = tuple(reader.half)
        return {name: axis for name, axis in read.items() if axis is not None}

    def _counts(self, table: SweepTable | None, axes: dict[str, Axis]) -> None:
        """See that a list has axes of one length."""
        if table is None or table.design != "list" or len(axes) < 2:
            return
        lengths = {name: len(settings_of(axis)) for name, axis in axes.items()}
        first, length = next(iter(lengths.items()))
        for name, other in lengths.items():
            if other != length:
                message = "the axes of a list are gone through together, and need one length"
                found = f"{other}, and {length} of {first}"
                self.reading.complain(axes[name].at, message, found, hint="is a grid meant?")

    def _cases(self, table: SweepTable, axes: dict[str, Axis]) -> tuple[Case, ...]:
        if table.cases is None or table.design != "csv":
            return ()
        path = self.reading.file(("sweep", "cases"), self.path.parent, table.cases)
        if path is None:
            return ()
        text = self.files.read(path, table.cases)
        sheet = read_sheet(text, table.cases, self.report) if text else None
        if sheet is None:
            return ()
        self._columns(sheet, axes)
        if not sheet.rows:
            self.files.refuse(sheet.name, "the file has a header and no rows")
        if len(sheet.rows) > MOST_POINTS:
            message = f"{len(sheet.rows):,} rows are more than {MOST_POINTS:,}"
            self.files.refuse(sheet.name, message)
        return tuple(Case(line, record.pop(LABEL, ""), record) for line, record in sheet.records())

    def _columns(self, sheet: Sheet, axes: dict[str, Axis]) -> None:
        """See that each column is an axis or may be a key, and each axis has its column."""
        typed = self.held.get("axes")
        names = [*(typed if isinstance(typed, dict) else {})]
        for column in sheet.header:
            if column not in names and "." not in column and column != LABEL:
                allowed = listed([*names, LABEL, "a dotted key of the instance"])
                hint = did_you_mean(column, [*names, LABEL])
                message = "the column is neither an axis nor a dotted key"
                self.report.add(Problem(message, sheet.name, 1, column, "", allowed, hint))
        for name in axes:
            if name not in sheet.header:
                allowed = listed(sheet.header)
                message = "the file of cases has no column for this axis"
                self.reading.complain(("axes", name), message, "", allowed)

    # --- plan and front --------------------------------------------------------------------

    def _plan(self) -> Plan | None:
        if "plan" not in self.held:
            return None
        table = self.reading.block(("plan",), PlanTable, self.held["plan"])
        if table is None:
            return None
        hint = "name a run folder, or the actions.csv in it"
        folder, inside = self.path.parent, f"{table.actions}/actions.csv"
        typed = inside if file_at(folder, inside) else table.actions
        path = self.reading.file(("plan", "actions"), folder, typed, hint)
        if path is None:
            return None
        try:
            read_actions(path, table.actions)
        except InputRefused as refused:
            self.report.extend(refused.problems)
            return None
        self.files.read(path, table.actions)
        return Plan(path, table.only, table.regret)

    def _pareto(self) -> Pareto | None:
        if "pareto" not in self.held:
            return None
        table = self.reading.block(("pareto",), ParetoTable, self.held["pareto"])
        return None if table is None else _front(table)


def front_in(held: Mapping[str, Any]) -> Pareto | None:
    """Read the front that a sweep file asks for, which was read before; None without one.

    Parameters
    ----------
    held : mapping
        Its tables by name.
    """
    try:
        return _front(ParetoTable.model_validate(held["pareto"])) if "pareto" in held else None
    except ValidationError:
        return None


def _front(table: ParetoTable) -> Pareto:
    ends = None
    if table.from_ is not None and table.to is not None:
        ends = (table.from_, table.to)
    return Pareto(Aim(*table.other), table.points, ends, table.break_ties)


def settings_of(axis: Axis) -> tuple[Any, ...]:
    """What an axis is set to, one after another, where nothing is drawn."""
    if axis.choices is None:
        return ()
    if isinstance(axis.choices, Listed):
        return axis.choices.values
    return tuple(axis.choices.numbers())  # type: ignore[union-attr]


def _folders(folder: Path) -> list[str]:
    """Instances that lie in a folder."""
    try:
        return sorted(path.parent.name for path in folder.glob("*/instance.toml"))
    except OSError:
        return []
