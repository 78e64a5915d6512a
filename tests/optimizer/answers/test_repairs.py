"""Repairs piece by piece: what is a straight line, what is tried next, what is never claimed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from optimizer.answers.conflict.amounts import _column
from optimizer.answers.conflict.choices import Try, choices
from optimizer.answers.conflict.edits import REMOVED
from optimizer.answers.conflict.figures import Figures
from optimizer.answers.conflict.limits import Limit, limits_of
from optimizer.answers.conflict.questions import Questions, opened
from optimizer.answers.conflict.repairs import Mender, Repair
from optimizer.highs import Options
from optimizer.matrix import Matrix, dense_matrix
from optimizer.solve import Solved
from tests.optimizer.answers.planted import LINE, Typed, folder, put, signed

INF = math.inf


def asked_of(at: Path, typed: Typed) -> tuple[Questions, dict[str, Limit]]:
    read = opened(folder(at, typed))
    limits = limits_of(read.reading.document, read.loaded.instance)
    return Questions(read, Options()), {one.key: one for one in limits}


# --- a straight line -------------------------------------------------------------------------


def posed(**changes: Any) -> Any:
    """Two rows of one column, the first between two limits, the second with an upper one."""
    known = {"lower": [1.0, -INF], "upper": [4.0, 6.0], "used": [[1.0], [1.0]], "most": 9.0,
             "rows": ["between", "below"], **changes}  # fmt: skip
    matrix: Matrix = dense_matrix(known["used"], known["lower"], known["upper"], [0.0],
                                  [known["most"]], [1.0])  # fmt: skip
    built = SimpleNamespace(rows=known["rows"], columns=["x"], contradictions=[])
    return SimpleNamespace(model=SimpleNamespace(built=built, matrix=matrix))


def test_what_a_unit_gives_each_row() -> None:
    """Two units move the lower row by 3 and nothing else; the range by one, both its ends."""
    found = _column(posed(), posed(upper=[4.0, 9.0]), 2.0)
    assert found is not None
    assert found.tolist() == [0.0, 1.5]
    both = _column(posed(), posed(lower=[3.0, -INF], upper=[6.0, 6.0]), 2.0)
    assert both is not None
    assert both.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"upper": [5.0, 6.0]}, {"lower": [0.0, -INF]}, {"lower": [1.0, 2.0]},
        {"upper": [4.0, INF]}, {"used": [[1.0], [0.9]]}, {"most": 10.0},
        {"rows": ["between", "other"]},
    ],
)  # fmt: skip
def test_what_does_more_than_move_limits_is_no_straight_line(changes: dict[str, Any]) -> None:
    """One end of a range, a limit that comes or goes, a coefficient, a column, other rows."""
    assert _column(posed(), posed(**changes), 1.0) is None


# --- what is tried next ----------------------------------------------------------------------


def test_earlier_months_are_tried_from_the_nearest_to_the_first(tmp_path: Path) -> None:
    line = {**LINE, "earliest": "2030-06", "latest": "2029-06"}
    late = put(signed(1.0), {"projects": {"line": {**line, "latest": "2031-06"}}})
    asked, limits = asked_of(tmp_path / "late", late)
    tried = [one.then for one in choices(asked, limits["projects.line.earliest"])]
    assert tried == ["2030-01", "2029-01"]
    early = put(signed(1.0), {"projects": {"line": {**LINE, "latest": "2029-06"}}})
    asked, limits = asked_of(tmp_path / "early", early)
    later = list(choices(asked, limits["projects.line.latest"]))
    assert [one.then for one in later] == ["2030-01", "2031-01"]
    assert [one.by for one in later] == ["7 months later", "19 months later"]


def test_promises_are_tried_from_the_nearest_on(tmp_path: Path) -> None:
    """A tenth more downtime first; of a package a little less of it first."""
    typed = put(signed(1.0), {"contracts.lease.availability": 0.9999})
    asked, limits = asked_of(tmp_path, typed)
    lower = [one.edits for one in choices(asked, limits["contracts.lease.availability"])]
    assert [round(1.0 - next(iter(e.values())), 9) for e in lower[:3]] == [1.1e-4, 1.2e-4, 1.3e-4]
    better = [one.edits for one in choices(asked, limits["uptime.packages.n1.availability"])]
    assert [round(1.0 - next(iter(e.values())), 9) for e in better[:3]] == [9.9e-4, 9.8e-4, 9.7e-4]


# --- what is never claimed -------------------------------------------------------------------


@pytest.mark.parametrize("status", ["infeasible", "no-plan", "audit-failed"])
def test_a_change_that_no_plan_shows_is_no_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: Any
) -> None:
    """A question says that it is enough, and the solve of the instance so typed does not."""
    asked, limits = asked_of(tmp_path, put(signed(2.0), {"finance.capex_budget_musd": 4.0}))
    budget = limits["finance.capex_budget_musd"]
    assert Mender(asked).repair(budget).found == "verified"
    monkeypatch.setattr(asked, "solved", lambda *_: Solved(status))
    told = Mender(asked).repair(budget)
    assert told.found == ("out-of-range" if status == "infeasible" else "undecided")
    assert not told.edits
    assert not told.cheapest


def test_halls_of_which_not_all_were_tried_are_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That doubling them leaves no plan says nothing of what lies between: upkeep is owed."""
    typed = put(signed(9.0), {
        "halls.h.count": 1, "sites.a.firm_mw": 40.0, "contracts.lease.max_mw": 20.0,
    })  # fmt: skip
    asked, limits = asked_of(tmp_path, typed)
    mender = Mender(asked)
    monkeypatch.setattr(mender, "_verdict", lambda _: "infeasible")
    monkeypatch.setattr(mender, "_least", lambda _: None)
    assert mender.repair(limits["halls.h.count"]).found == "undecided"


class Asked:
    """Answers questions from a list by what is typed; the loader takes all but what is refused."""

    def __init__(self, verdicts: Mapping[Any, str], refused: Sequence[Any] = ()) -> None:
        self.verdicts, self.refused = verdicts, refused
        self.document: dict[str, Any] = {}
        self.is_over = False

    def verdict(self, edits: Mapping[Any, Any]) -> str:
        (value,) = edits.values()
        return self.verdicts[value]

    def accepted(self, edits: Mapping[Any, Any]) -> Any:
        (value,) = edits.values()
        return None if value in self.refused else edits

    def solved(self, edits: Mapping[Any, Any], *_: Any) -> Solved:
        feasible = self.verdict(edits) == "feasible"
        return Solved("solved" if feasible else "infeasible", value_musd=1.0)


def limit_of(way: Any) -> Limit:
    return Limit("policy.figure", ("policy", "figure"), "figure", "", "M$", 4.0, True, way,
                 {("policy", "figure"): REMOVED}, frozenset(), "{held}")  # fmt: skip


def tried_in_turn(asked: Asked, way: Any, *values: float) -> Repair | None:
    tries = [Try({("policy", "figure"): value}, str(value), "") for value in values]
    return Mender(asked)._nearest(limit_of(way), "4", tries)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["later", "nines"])
@pytest.mark.parametrize(
    ("nearer", "refused", "cheapest"),
    [("infeasible", (), True), ("undecided", (), False), ("undecided", (6.0,), True)],
)
def test_a_nearer_change_left_open_is_not_ruled_out(
    way: str, nearer: str, refused: tuple[float, ...], cheapest: bool
) -> None:
    """The third change is enough. Of the second it is not known, or it cannot be typed at all."""
    asked = Asked({5.0: "infeasible", 6.0: nearer, 7.0: "feasible", 8.0: "feasible"}, refused)
    mended = tried_in_turn(asked, way, 5.0, 6.0, 7.0, 8.0)
    assert mended is not None
    assert (mended.edits, mended.found) == ({("policy", "figure"): 7.0}, "verified")
    # Of availabilities that are halved between, what cannot be typed is not looked at apart.
    assert mended.cheapest is (cheapest and not (way == "nines" and refused))


@pytest.mark.parametrize(
    ("nearer", "proved", "cheapest"),
    [("infeasible", True, True), ("undecided", True, False), ("infeasible", False, False)],
)
def test_a_figure_beyond_one_that_was_not_enough_is_the_cheapest_if_that_is_ruled_out(
    nearer: str, proved: bool, cheapest: bool
) -> None:
    """Six is the least by the program, and its solve gives no plan; seven is typed then."""
    asked = Asked({6.0: nearer, 7.0: "feasible"})
    figures = Figures({}, limit_of("amount"), 1.0)
    mended = Mender(asked)._from(figures, 1, "4", cheapest=proved)  # type: ignore[arg-type]
    assert mended is not None
    assert (mended.edits, mended.cheapest) == ({("policy", "figure"): 7.0}, cheapest)
