"""A list of actions, read as decisions taken.

Whoever hands a list back has changed it by hand: every line that names what the case does not
have, or cannot do, is told with its number, and all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pandas as pd

from models import indices
from models.build import Column
from models.decisions import DECISIONS
from models.derive.hosting import signing_open
from models.given import Given, Place, RackType
from models.instance import month_index, month_text
from models.tree import Node, Tree
from optimizer import whynot
from optimizer.actions import COLUMNS, MARK, UNITS, Verb, arrival_nodes
from optimizer.case import Case
from optimizer.errors import InputRefused, Problem, Report, did_you_mean, listed
from optimizer.layout import ACTIONS
from optimizer.load.files import Files
from optimizer.load.tables import number, read_sheet
from optimizer.stocks import Excess, excesses
from optimizer.words import state_of

#: Columns that a list cannot do without; ``month`` may be replaced by ``node``.
NEEDED = ("action", "subject", "amount")

#: Said to whoever takes away more than stands.
_MORE = "nothing in the plan, and nothing that could complete it, brings more by then"

Sized = tuple[Column, float]


def read_actions(path: Path, name: str = "") -> pd.DataFrame:
    """Read a list of actions as text.

    Parameters
    ----------
    path : Path
        The CSV file.
    name : str
        What to call it in messages; its own name unless given.

    Returns
    -------
    DataFrame
        Its cells as text, by the line they stand on; ``attrs['file']`` holds the name.

    Raises
    ------
    InputRefused
        Where it cannot be read, or a column is missing or unknown.
    """
    report, name = Report(), name or path.name
    text = Files(path.parent, report).read(path, name)
    sheet = None if text is None else read_sheet(text, name, report)
    if sheet is not None:
        _check_header(sheet.header, name, report)
    if sheet is None or report.refused():
        raise InputRefused(report.sorted())
    lines = pd.Index([line for line, _ in sheet.rows], name="line", dtype="int64")
    table = pd.DataFrame([row for _, row in sheet.rows], lines, list(sheet.header), dtype=object)
    table.attrs["file"] = name
    return table


def _check_header(header: tuple[str, ...], name: str, report: Report) -> None:
    known = (*COLUMNS, MARK)
    for column in header:
        if column not in known:
            hint = did_you_mean(column, known)
            report.add(Problem("unknown column", name, 1, column, allowed=listed(known),
                               hint=hint))  # fmt: skip
    missing = [column for column in NEEDED if column not in header]
    if "month" not in header and "node" not in header:
        missing.append("month")
    for column in missing:
        report.add(Problem("the column is missing", name, 1, column))


def pins_of(case: Case, rows: pd.DataFrame) -> dict[Column, float]:
    """Read actions as decisions taken.

    The columns ``arrives``, ``capex_musd`` and ``irrevocable_musd`` follow from the others, and
    ``decided`` says where a line came from: they are not looked at. A line with the amount 0 says
    that the thing is not done. A move or a rebuild may name the place it leaves, the place it
    reaches, or both.

    Parameters
    ----------
    case : Case
        What is given.
    rows : DataFrame
        Actions, as :func:`read_actions` or :func:`actions_of` give them.

    Returns
    -------
    dict
        Values by decision and index, to be handed to :func:`optimizer.solve.solve`.

    Raises
    ------
    InputRefused
        With every line that names what the case does not have or cannot do, or takes away more
        than can ever stand there.
    """
    reader = _Reader(case, rows)
    for line, cells in rows.iterrows():
        reader.take(line, {str(column): _text(cell) for column, cell in cells.items()})
    if not reader.report.refused():
        reader.look_for_excess()
    if reader.report.refused():
        raise InputRefused(reader.report.sorted())
    return reader.pins


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()


class _RowError(ValueError):
    """A line cannot be meant."""

    def __init__(
        self, column: str, message: str, *, found: str = "", allowed: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.column, self.found, self.allowed, self.hint = column, found, allowed, hint


@dataclass(frozen=True)
class _Line:
    """One line of the list, its cells read one at a time."""

    cells: Mapping[str, str]
    given: Given

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def name(self, column: str, known: Iterable[str], what: str) -> str:
        """Read a name that must be known."""
        name = self.text(column)
        if name not in (names := list(known)):
            message = f"unknown {what}" if name else f"the {what} is missing"
            hint = did_you_mean(name, names)
            raise _RowError(column, message, found=name, allowed=listed(names), hint=hint)
        return name

    def place(self, column: str) -> Place:
        """Read a place, and see that it is at the site that the line names."""
        p = self.name(column, self.given.site_of, "place")
        self.agrees("site", self.given.site_of[p])
        return p

    def agrees(self, column: str, expected: str) -> None:
        """See that a cell that could be left out does not contradict the others."""
        found = self.text(column)
        if found and found != expected:
            message = "the cell contradicts the rest of the line"
            raise _RowError(column, message, found=found, allowed=expected)

    def amount(self, verb: Verb) -> float:
        """Read how much: whole racks, halls and units, or MW."""
        try:
            amount = number(self.text("amount"))
        except ValueError as error:
            message = "the amount is not a number"
            raise _RowError("amount", message, found=self.text("amount")) from error
        if amount < 0:
            raise _RowError("amount", "the amount is negative", found=self.text("amount"))
        if verb != "sign" and amount != math.floor(amount):
            message = f"the amount is not whole: {UNITS[verb]} come in ones"
            raise _RowError("amount", message, found=self.text("amount"))
        return amount

    def node(self) -> Node:
        """Read when: the month in which a period starts, and the node where it has several."""
        tree = self.given.tree
        starting = list(tree.nodes) if not self.text("month") else self._starting()
        cell = self.text("node")
        if cell:
            named = [n for n in starting if str(n) == cell]
            if not named:
                message = "no such node starts in that month"
                raise _RowError("node", message, found=cell, allowed=listed(map(str, starting)))
            return named[0]
        if not self.text("month"):
            raise _RowError("month", "the month is missing")
        if len(starting) > 1:
            message = "several branches have a period that starts in that month"
            raise _RowError("node", message, allowed=listed(map(str, starting)))
        return starting[0]

    def _starting(self) -> list[Node]:
        tree, cell = self.given.tree, self.text("month")
        try:
            month = month_index(cell)
        except ValueError as error:
            raise _RowError("month", "this is not a month", found=cell,
                              allowed="YYYY-MM, as in 2027-04") from error  # fmt: skip
        last = month_text(tree.first_month(tree.leaves[0]))
        allowed = f"{month_text(tree.start)} to {last}, every {tree.months} months"
        starting = [n for n in tree.nodes if tree.first_month(n) == month]
        if not starting:
            inside = tree.start <= month < tree.end_month(tree.leaves[0])
            message = "no period starts in that month" if inside else "outside the horizon"
            raise _RowError("month", message, found=cell, allowed=allowed)
        return starting


@dataclass
class _Reader:
    """Takes lines, one at a time, and notes what they decide or what is wrong with them."""

    case: Case
    rows: pd.DataFrame
    report: Report = field(default_factory=Report)
    pins: dict[Column, float] = field(default_factory=dict)
    seen: dict[tuple[str, ...], int | None] = field(default_factory=dict)
    lines: dict[Column, int | None] = field(default_factory=dict)
    signed: dict[str, list[tuple[Node, int | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file = str(self.rows.attrs.get("file", "actions.csv"))
        given = self.case.given
        wanted = (
            "orders", "sales", "conversions", "builds", "plant_orders", "signing", "leaving",
            "arriving",
        )  # fmt: skip
        self.allowed = {d.name: set(d.over(given)) for d in DECISIONS if d.name in wanted}

    def take(self, label: Hashable, cells: Mapping[str, str]) -> None:
        """Read one line."""
        number_ = label if self.rows.index.name == "line" else None
        line = number_ if isinstance(number_, int) else None
        try:
            for column, value in self._decisions(_Line(cells, self.case.given), line):
                self.pins[column] = self.pins.get(column, 0.0) + value
                self.lines[column] = line
        except _RowError as why:
            self.report.add(Problem(str(why), self.file, line, why.column, why.found, why.allowed,
                                    why.hint))  # fmt: skip

    def look_for_excess(self) -> None:
        """Tell what takes away more than stands, whatever completes the list."""
        for excess in excesses(self.case.given, self.pins):
            self.report.add(_too_much(excess, self.file, self.lines[excess.column]))

    def _decisions(self, row: _Line, line: int | None) -> list[Sized]:
        verb = cast(Verb, row.name("action", UNITS, "action"))
        n, amount = row.node(), row.amount(verb)
        row.agrees("unit", UNITS[verb])
        readers: Mapping[Verb, Callable[[_Line, Node, float], Iterator[Sized]]] = {
            "sign": self._sign, "build": self._build, "install": self._install,
            "convert": self._convert,
            "order": self._order, "sell": self._sell, "move": self._move, "rebuild": self._move,
        }  # fmt: skip
        decided = list(readers[verb](row, n, amount))
        key = (verb, str(n), *(row.text(column) for column in ("subject", "from", "to")))
        if key in self.seen:
            first = self.seen[key]
            hint = f"line {first} says it first; sum them" if first else "sum the two"
            raise _RowError("action", "the action is given twice", hint=hint)
        self.seen[key] = line
        if verb == "sign" and amount:
            self._once(row.text("subject"), n, line)
        return decided

    def _once(self, x: str, n: Node, line: int | None) -> None:
        """See that no branch signs a contract twice: another date is another signature."""
        tree, before = self.case.given.tree, self.signed.setdefault(x, [])
        for m, first in before:
            if m in tree.path(n) or n in tree.path(m):
                hint = f"line {first} signs it first; " if first else ""
                raise _RowError("subject", f"the plan signs {x} twice", found=x,
                                hint=f"{hint}give all its MW in one line")  # fmt: skip
        before.append((n, line))

    def _exists(
        self, name: str, index: tuple[Any, ...], column: str, why: Callable[[], whynot.Reason]
    ) -> Column:
        if index not in self.allowed[name]:
            message, hint = why()
            raise _RowError(column, message, hint=hint)
        return name, index

    def _sign(self, row: _Line, n: Node, mw: float) -> Iterator[Sized]:
        x = row.name("subject", self.case.instance.contracts, "contract")
        why = partial(whynot.no_signing, self.case, x)
        at = self._same_signing(n, x)
        yield self._exists("signing", (at, x), "month", why), float(mw > 0)
        yield ("signed_mw", (at, x)), mw

    def _same_signing(self, n: Node, x: str) -> Node:
        """Where the model signs what is signed at a node: dates that are as good are one date."""
        d, tree = self.case.derivation, self.case.given.tree
        if (n, x) in self.case.given.signing_allowed or not signing_open(d, n, x):
            return n
        line = (*reversed(tree.path(n)), *_only_children(tree, n))
        return next((m for m in line if (m, x) in self.case.given.signing_allowed), n)

    def _build(self, row: _Line, n: Node, units: float) -> Iterator[Sized]:
        projects = self.case.instance.projects
        j = row.name("subject", projects, "project")
        row.agrees("site", projects[j].site)
        why = partial(whynot.no_build, self.case, n, j)
        yield self._exists("builds", (n, j), "month", why), units

    def _install(self, row: _Line, n: Node, units: float) -> Iterator[Sized]:
        u = row.name("subject", self.case.instance.uptime.components, "component")
        s = row.name("site", self.case.instance.sites, "site")
        d = row.name("to", self.case.instance.uptime.subsystems, "subsystem")
        why = partial(whynot.no_installation, self.case, n, s, d, u)
        yield self._exists("plant_orders", (n, s, d, u), "subject", why), units

    def _convert(self, row: _Line, n: Node, count: float) -> Iterator[Sized]:
        p, q = row.place("from"), row.place("to")
        row.agrees("subject", state_of(q))
        why = partial(whynot.no_conversion, self.case, n, p, q)
        yield self._exists("conversions", (n, p, q), "to", why), count

    def _order(self, row: _Line, n: Node, count: float) -> Iterator[Sized]:
        k, p = self._rack(row), row.place("to")
        why = partial(whynot.no_order, self.case, n, p, k)
        yield self._exists("orders", (n, p, k), "subject", why), count

    def _sell(self, row: _Line, n: Node, count: float) -> Iterator[Sized]:
        k, p = self._rack(row), row.place("from")
        why = partial(whynot.no_room, self.case, p, k)
        yield self._exists("sales", (n, p, k), "subject", why), count

    def _rack(self, row: _Line) -> RackType:
        return row.name("subject", self.case.instance.racks, "rack type")

    def _move(self, row: _Line, n: Node, count: float) -> Iterator[Sized]:
        g, a = self.case.given, self._rack(row)
        to = self.case.instance.racks[a].converts_to
        b = to.rack if row.text("action") == "rebuild" and to else a
        if row.text("action") == "rebuild" and not to:
            raise _RowError("subject", f"{a} cannot be rebuilt", hint="it has no converts_to")
        if not row.text("from") and not row.text("to"):
            raise _RowError("from", "the place is missing, where it leaves or where it arrives")
        ends = [n]
        if row.text("from"):
            p = row.place("from")
            why = partial(whynot.no_transfer, self.case, n, p, a, b, a)
            yield self._exists("leaving", (n, p, a, b), "from", why), count
            ends = arrival_nodes(g, n, g.transfer_lag[a, b])
        if row.text("to"):
            q = row.place("to")
            why = partial(whynot.no_transfer, self.case, n, q, a, b, b)
            for m in ends:
                yield self._exists("arriving", (m, q, a, b), "to", why), count


def only(case: Case, pins: Mapping[Column, float]) -> dict[Column, float]:
    """Add to decisions taken that nothing else is done.

    Racks past their life must leave a site: where the list sells none of a type, it is left open
    which of them go. Loans, and what racks earn, are decided anew in any case.
    """
    g = case.given
    still: dict[Column, float] = {
        (decision.name, index): 0.0
        for decision in DECISIONS if decision.name in ACTIONS
        for index in decision.over(g)
    }  # fmt: skip
    sold = {
        (g.site_of[index[1]], index[2])
        for (name, index), count in pins.items() if name == "sales" and count
    }  # fmt: skip
    aged = set(indices.ageing(g))
    for n, p, k in indices.standing(g):
        s = g.site_of[p]
        if (n, s, k) not in aged or (s, k) in sold:
            still["sales", (n, p, k)] = 0.0
    return still | dict(pins)


def refuse_excess(case: Case, pins: Mapping[Column, float], file: str) -> None:
    """Refuse decisions that take away more than stands, whatever else is still open.

    Raises
    ------
    InputRefused
        With everything that is taken and not there.
    """
    found = excesses(case.given, pins)
    if found:
        raise InputRefused([_too_much(excess, file) for excess in found])


def _too_much(excess: Excess, file: str, line: int | None = None) -> Problem:
    """Say what is taken and not there."""
    most = f"at most {max(0.0, excess.stands):g}"
    return Problem(str(excess), file, line, "amount", f"{excess.takes:g}", most, _MORE)


def _only_children(tree: Tree, n: Node) -> Iterator[Node]:
    """Nodes that follow a node without a branch."""
    while len(tree.children(n)) == 1:
        (n,) = tree.children(n)
        yield n
