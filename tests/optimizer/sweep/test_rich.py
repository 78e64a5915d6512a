"""Points of bases with nearly everything: short cuts come to what the long ways do, in any order.

Shipped instances have no site with hours that are ordered, billed by the month or granted by a
rule whose hours are still dispatched alone, and none whose hours are coupled.
"""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimizer.audit import audit, values_of
from optimizer.case import prepare
from optimizer.compiled import compile_case
from optimizer.errors import InputRefused
from optimizer.grouped import simple
from optimizer.settle import settle
from optimizer.sweep.base import base_of, read_base
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.point.compiled import Structure
from optimizer.sweep.point.opened import Opened
from optimizer.sweep.point.prepared import Prepared
from optimizer.sweep.points import Point
from tests.optimizer.rich_case import rich_case
from tests.optimizer.sweep import rich
from tests.optimizer.sweep.test_evaluate import assert_same, differing
from tests.optimizer.sweep.test_quick import any_point

#: Figures that move, by what they lead to; each leaves the unknowns as they are.
KEYS = {
    "sites.west.firm_mw": (20.0, 28.0),
    "sites.west.interruptible_mw": (8.0, 20.0),
    "sites.east.firm_mw": (14.0, 22.0),
    "sites.east.mining_mw_max": (3.0, 6.0),
    "power.west.adder_usd_per_mwh": (5.0, 5.01),
    "power.west.carbon.usd_per_tonne": (3.0, 3.01),
    "power.east.demand_charge_usd_per_kw_month": (0.5, 4.0),
    "power.east.billing_floor_share": (0.1, 0.6),
    "finance.opening_cash_musd": (20.0, 60.0),
    "finance.loan.interest_per_year": (0.05, 0.1),
    "finance.discount_per_year": (0.08, 0.12),
    "contracts.lease.rate_usd_per_kw_month": (140.0, 170.0),
    "bitcoin.pool_fee_share": (0.01, 0.0101),
    "machines.s19.availability_share": (0.9, 0.97),
    "policy.mining_share_min": (0.2, 0.5),
}


class Held:
    """A base as a worker holds it."""

    def __init__(self, folder):
        sweep = Sweep(Path("s.toml"), folder, "s", gap=1e-6)
        self.opened = Opened(base_of(sweep, read_base(folder).loaded))
        loaded = self.opened.loaded
        self.prepared = Prepared(loaded.instance, loaded.hours)
        self.structure = Structure(self.prepared.case)

    def after(self, point):
        """A point by the short ways, and by the long ones."""
        changed = self.opened.after(point)
        assert changed.moved is not None
        case = self.prepared.after(changed.instance, changed.moved)
        return case, prepare(changed.instance, changed.hours)


@pytest.fixture(scope="module", params=[True, False], ids=["simple", "coupled"])
def held(request, tmp_path_factory):
    return Held(rich.write(tmp_path_factory.mktemp("rich") / "base", simple=request.param))


def drawn(seed):
    chance = random.Random(seed)
    keys = chance.sample(sorted(KEYS), chance.randint(1, 4))
    return Point(seed, {}, {key: round(chance.uniform(*KEYS[key]), 5) for key in keys})


def running(model, seed):
    """Nothing is done, and what is billed lets machines run, in some months not all of them."""
    x, rng = np.zeros(model.matrix.shape[1]), np.random.default_rng(seed)
    span, _ = model.layout.indices["billed"]
    x[span] = rng.uniform(2, 40, len(x[span]))
    return x


def same_plan(case, model, x):
    """Follow and audit a point both ways."""
    quick, slow = model.followed.settled(x), settle(case.given, model.values(x))
    one, other = values_of(quick.plan), values_of(slow)
    assert list(one) == list(other)
    np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-12, atol=1e-9)
    found, right = audit(case, quick.plan, settled=quick), audit(case, quick.plan)
    assert [(b.limit, b.index) for b in found.breaches] == [
        (b.limit, b.index) for b in right.breaches
    ]
    for name in ("value_musd", "banded_margin_musd", "hourly_margin_musd"):
        assert getattr(found, name) == pytest.approx(getattr(right, name), rel=1e-12, abs=1e-9)


def test_the_bases_have_what_they_are_for(held):
    g = held.prepared.case.given
    alone = {s for s in g.sites if simple(g, s)}
    if alone == set(g.sites):
        assert alone & set(g.mining_mw_max)
        assert alone & set(g.demand_charge)
        assert any(g.stopped.values())
        assert any(g.cut.values())
        assert max(map(len, g.mining_classes.values())) > 1
    else:
        assert not alone
        assert any(g.pooled_parts.values())
        assert any(g.ppas.values())
        assert any(g.commitments.values())


def test_one_way_in_which_hours_are_coupled_is_enough():
    g = rich_case().given
    alone = replace(g, ppas={}, commitments={}, sheddable={}, pooled_parts={})
    assert all(simple(alone, s) for s in g.sites)
    coupled = [replace(alone, limited=frozenset(["west"]))]
    coupled += [
        replace(alone, **{table: {"west": ("any",)}})
        for table in ("ppas", "commitments", "sheddable", "pooled_parts")
    ]
    for given in coupled:
        assert [simple(given, s) for s in g.sites] == [False, True, True]


@pytest.mark.parametrize("turned", [False, True])
def test_points_come_out_as_by_the_long_ways_in_either_order(held, turned):
    points = [drawn(seed) for seed in range(6)]
    for point in points[::-1] if turned else points:
        case, right = held.after(point)
        assert differing(case, right) == [], point.changes
        model = held.structure.model(case)
        assert_same(model, compile_case(right))
        nothing = np.zeros(model.matrix.shape[1])
        for x in (nothing, running(model, point.number), any_point(model, point.number)):
            same_plan(case, model, x)


def test_hours_are_checked_again_where_a_figure_asks_more_of_them(held):
    """Steps of a price do not tell which hours follow one another."""
    key = "power.south.emergency.restart_hours"
    with pytest.raises(InputRefused, match="orders of hours in a row"):
        held.opened.after(Point(0, {}, {key: 2}))
