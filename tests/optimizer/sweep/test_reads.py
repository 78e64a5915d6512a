"""What was worked out before holds only where all that it was worked out from is the same."""

import pytest

from optimizer.case import prepare
from optimizer.sweep.point.evaluate import Evaluator
from optimizer.sweep.point.opened import Opened
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.point.reads import Noted, Read, Remembered
from optimizer.sweep.points import Point
from tests.optimizer.sweep.bases import base
from tests.optimizer.sweep.test_evaluate import differing

GATE, BEHIND = ("gate",), ("behind",)


class Gated:
    """Reads what lies behind a gate only where that is open, as it is not on the base."""

    def __init__(self, **more):
        self.runs = 0
        self.noted = Noted()
        self.remembered = Remembered("shut", {GATE}, {"gate"}, **more)
        self.base = {"gate": [], "behind": []}

    def figures(self, moved):
        def again():
            self.runs += 1
            self.noted.key(GATE)
            if moved.get(GATE, "shut") == "shut":
                return "shut"
            self.noted.key(BEHIND)
            return f"open on {moved.get(BEHIND, 'base')}"

        return self.remembered.after(moved, self.base, self.base, again, self.noted)

    def tables(self, **moved):
        given = {**self.base, **moved}

        def again():
            self.runs += 1
            self.noted.table("gate")
            if not given["gate"]:
                return "shut"
            self.noted.table("behind")
            return f"open on {given['behind']}"

        return self.remembered.after({}, self.base, given, again, self.noted)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_figure_that_is_read_only_once_another_moves_is_seen(order):
    gated = Gated()
    points = [{GATE: "open"}, {GATE: "open", BEHIND: "5"}, {GATE: "open", BEHIND: "6"}]
    right = ["open on base", "open on 5", "open on 6"]
    for _ in range(2):
        assert [gated.figures(points[i]) for i in order] == [right[i] for i in order]
    assert gated.runs == 3
    assert gated.figures({BEHIND: "5"}) == "shut"
    assert gated.runs == 3


def test_a_table_that_is_read_only_once_another_differs_is_seen():
    gated, opened, other = Gated(), [1], [2]
    for _ in range(2):
        assert gated.tables(gate=opened) == "open on []"
        assert gated.tables(gate=opened, behind=other) == "open on [2]"
        assert gated.tables(behind=other) == "shut"
    assert gated.runs == 2


def test_what_nothing_hangs_on_is_not_worked_out_again():
    gated = Gated()
    assert gated.figures({GATE: "open", ("else",): "1"}) == "open on base"
    assert gated.figures({GATE: "open", ("else",): "2"}) == "open on base"
    assert gated.runs == 1


def test_a_table_does_not_pass_for_one_that_is_gone():
    gated = Gated(kept=1000)
    for number in range(200):
        assert gated.tables(gate=[number + 1], behind=[number]) == f"open on [{number}]"


def test_a_table_does_not_pass_for_another_that_is_the_same_object():
    """Empty tuples, flags and small numbers are one object, in whichever table they stand."""
    gated, empty = Gated(), ()
    gated.base = {"gate": (1,), "behind": (2,)}
    read = Read(set(), {"gate", "behind"})
    labels = {
        read.label({}, gated.base, {**gated.base, name: empty})[0] for name in ("gate", "behind")
    }
    assert len(labels) == 2


def test_few_answers_are_kept_and_all_of_them_are_right():
    gated = Gated(kept=3, ways=1)
    for _ in range(2):
        for number in range(6):
            moved = {GATE: "open", BEHIND: str(number)}
            assert gated.figures(moved) == f"open on {number}"
        assert gated.figures({GATE: "shut again"}) == "open on base"
    assert len(gated.remembered._answers) <= 3
    assert gated.runs > 6


# --- an instance -----------------------------------------------------------------------------

#: What is read of by_hand only once something else has moved.
OPENED = [
    ({"contracts.tenant.months": 60}, {"contracts.tenant.rate_usd_per_kw_month": 400}),
    ({"contracts.tenant.months": 60}, {"finance.discount_per_year": 0.0}),
    ({"contracts.tenant.months": 60}, {"fitouts.ai.pue": 1.4}),
    ({"contracts.tenant.months": 60}, {"fleet.0.age_months": 30}),
    ({"contracts.tenant.months": 60}, {"racks.lot.life_months": 90}),
    (
        {"power.creek.demand_charge_usd_per_kw_month": 9.0},
        {"power.creek.billing_floor_share": 1.0},
    ),
]


@pytest.mark.parametrize(("first", "second"), OPENED)
@pytest.mark.parametrize("turned", [False, True])
def test_numbers_hang_on_what_two_moved_figures_lead_to(first, second, turned):
    opened = Opened(base("by_hand"))
    prepared = Prepared(opened.loaded.instance, opened.loaded.hours)
    points = [Point(0, {}, first), Point(1, {}, {**first, **second}), Point(2, {}, second)]
    for point in points[::-1] if turned else points:
        changed = opened.after(point)
        assert changed.moved is not None
        found = prepared.after(changed.instance, changed.moved)
        assert differing(found, prepare(changed.instance, changed.hours)) == [], point.changes


def test_rows_of_a_grid_are_the_same_in_either_order():
    months, rate = "contracts.tenant.months", "contracts.tenant.rate_usd_per_kw_month"
    points = [
        Point(2 * i + j, {}, {months: long, rate: high})
        for i, long in enumerate((12, 60))
        for j, high in enumerate((280.0, 400.0))
    ]
    there, back = Evaluator(base("by_hand")), Evaluator(base("by_hand"))
    values = [there(point).value_musd for point in points]
    assert values == [back(point).value_musd for point in reversed(points)][::-1]
    assert values[3] == pytest.approx(52.92387512826645)
