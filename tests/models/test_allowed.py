"""Hours in which a tenant's load is off: which they are, and what they save, by hand."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from models.allowed import Allowance, cut_hours_per_year, switched
from models.given import TENANT
from models.hours import Hours, file_years
from models.instance import Instance
from tests.models.tiny import AI, LEASE, case, tiny

DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MONTH = np.repeat(np.arange(1, 13), DAYS * 24)


def months(hours: float = 730.0) -> Hours:
    """A year of twelve steps, at 30 to 41 $/MWh."""
    return Hours(
        np.arange(1, 13), np.full(12, hours), np.arange(30.0, 42.0), np.zeros(12, bool), "steps"
    )


def off_hours(hours: Hours, contract: int = 0) -> dict[int, float]:
    """Hours in which a contract is off, by calendar month."""
    assert hours.off is not None
    found = np.bincount(hours.month, weights=hours.weight_h * hours.off[:, contract])
    return {m: float(h) for m, h in enumerate(found) if h}


def marked(hours: Hours, *rows: int) -> Hours:
    """Mark rows as cut."""
    return Hours(
        hours.month,
        hours.weight_h,
        hours.price_usd_per_mwh,
        np.isin(np.arange(len(hours)), rows),
        hours.source,
    )


def test_the_dearest_hours_come_first_and_a_step_is_split() -> None:
    off = switched(months(), [Allowance(1000.0), Allowance(40.0)])
    assert off_hours(off, 0) == {12: 730.0, 11: pytest.approx(270.0)}
    assert off_hours(off, 1) == {12: pytest.approx(40.0)}
    assert off.weight_h.sum() == pytest.approx(12 * 730.0)
    assert off.weight_h.tolist() == pytest.approx([730.0] * 10 + [270.0, 460.0, 40.0, 690.0])


def test_hours_that_are_cut_come_before_the_dearest() -> None:
    off = switched(marked(months(), 2), [Allowance(800.0)])
    assert off_hours(off) == {3: 730.0, 12: pytest.approx(70.0)}
    assert cut_hours_per_year(marked(months(), 2)) == 730.0


def test_charges_are_part_of_what_an_hour_costs() -> None:
    charge = np.where(np.arange(12) == 4, 20.0, 0.0)
    dear = Hours(
        np.arange(1, 13),
        np.full(12, 730.0),
        np.arange(30.0, 42.0),
        np.zeros(12, bool),
        "charged",
        charge_usd_per_mwh=charge,
    )
    assert off_hours(switched(dear, [Allowance(100.0)])) == {5: pytest.approx(100.0)}
    # At a rate of 3 the price of December outweighs the charge.
    there = switched(dear, [Allowance(100.0)], usd_per_unit=3.0)
    assert off_hours(there) == {12: pytest.approx(100.0)}


def test_hours_that_cost_nothing_are_not_taken() -> None:
    cheap = Hours(
        np.arange(1, 13), np.full(12, 730.0), np.arange(-10.0, 2.0), np.zeros(12, bool), "cheap"
    )
    assert off_hours(switched(cheap, [Allowance(8000.0)])) == {12: 730.0}
    assert len(off_hours(switched(cheap, [Allowance(8000.0)], adder=5.0))) == 6


def test_who_pays_nothing_is_off_in_hours_that_are_cut_only() -> None:
    off = switched(marked(months(), 2), [Allowance(800.0, cut_only=True), Allowance(800.0)])
    assert off_hours(off, 0) == {3: 730.0}
    assert off_hours(off, 1) == {3: 730.0, 12: pytest.approx(70.0)}


def test_each_year_of_a_file_counts_alike() -> None:
    """A leap year and another, then half a year: dear hours lie in the first only."""
    leap = np.where(np.arange(12) == 1, 29, DAYS) * 24
    month = np.concatenate([np.repeat(np.arange(1, 13), leap), MONTH, MONTH[: 24 * 181]])
    year = np.repeat([0, 1, 2], [8784, 8760, 24 * 181])
    weight = np.where(month <= 6, 1 / 3, 1 / 2)
    price = 30.0 + 100.0 * (year == 0) + np.arange(len(month)) % 97
    hours = Hours(month, weight, price, np.zeros(len(month), bool), "two and a half years")
    shares = [share for _, share in file_years(hours)]
    assert shares == pytest.approx([(6 / 3 + 6 / 2) / 12, (6 / 3 + 6 / 2) / 12, 6 / 3 / 12])
    off = switched(hours, [Allowance(60.0)])
    taken = off.off[:, 0]  # type: ignore[index]
    assert float(off.weight_h[taken].sum()) == pytest.approx(60.0)
    # Rows of a year follow each other.
    first = off.weight_h[taken & (off.price_usd_per_mwh > 127.0)].sum()
    assert float(first) == pytest.approx(60.0 * shares[0])


def test_of_whole_years_each_is_off_in_as_many_real_hours() -> None:
    rng = np.random.default_rng(5)
    price = rng.gamma(2.0, 20.0, 2 * 8760)
    both = Hours(np.tile(MONTH, 2), np.full(17520, 0.5), price, np.zeros(17520, bool), "two years")
    off = switched(both, [Allowance(37.0)])
    assert len(off) == 17520
    for own in (slice(0, 8760), slice(8760, None)):
        dearest = np.sort(price[own])[-37:]
        assert sorted(off.price_usd_per_mwh[own][off.off[own, 0]]) == dearest.tolist()  # type: ignore[index]


def test_hours_marked_once_may_be_marked_again() -> None:
    rng = np.random.default_rng(6)
    price = rng.gamma(2.0, 20.0, 2 * 8760)
    both = Hours(np.tile(MONTH, 2), np.full(17520, 0.5), price, price > 150.0, "two years")
    once = switched(both, [Allowance(37.3), Allowance(500.9)])
    again = switched(once, [Allowance(80.0)])
    assert len(again) == len(once) == 17524
    assert off_hours(again) == pytest.approx(off_hours(switched(both, [Allowance(80.0)])))
    assert switched(again, []).off is None


@pytest.mark.parametrize("seed", range(20))
def test_hours_are_those_found_one_by_one(seed: int) -> None:
    """In exact fractions: the order, and how far the allowance of each contract reaches."""
    r = random.Random(seed)
    n = r.randint(12, 60)
    month = np.array([*range(1, 13), *(r.randint(1, 12) for _ in range(n - 12))])
    weight = np.array([r.randint(1, 90) for _ in range(n)], dtype=float)
    price = np.array([float(r.randint(-3, 60)) for _ in range(n)])
    cut = np.array([r.random() < 0.2 for _ in range(n)])
    allowed = [float(r.choice((1, 5, 40, 333, 8760))) for _ in range(3)]
    off = switched(
        Hours(month, weight, price, cut, "drawn"), [Allowance(h) for h in allowed], adder=2.0
    )
    order = sorted(range(n), key=lambda i: (not cut[i], -price[i], i))
    for x, most in enumerate(allowed):
        left, found = Fraction(most), dict.fromkeys(range(1, 13), Fraction(0))
        for i in order:
            if cut[i] or price[i] + 2.0 > 0:
                part = min(left, Fraction(weight[i]))
                found[int(month[i])] += part
                left -= part
        assert off_hours(off, x) == pytest.approx({m: float(h) for m, h in found.items() if h})
    assert np.bincount(off.month, off.weight_h) == pytest.approx(np.bincount(month, weight))


@pytest.mark.parametrize("seed", range(6))
def test_energy_of_two_years_and_two_contracts_is_that_of_each_hour(seed: int) -> None:
    """Quarters at prices that grow, charges that do not, a rate that moves; hour by hour."""
    rng, r = np.random.default_rng(seed), random.Random(seed)
    month = np.tile(MONTH, 2)
    price = rng.gamma(2.0, 20.0, 17520)
    cut = (price > 90.0) & (rng.random(17520) < 0.5)
    carbon = rng.uniform(0.0, 600.0, 17520)
    hours = Hours(month, np.full(17520, 0.5), price, cut, "drawn", carbon_kg_per_mwh=carbon)
    allowed = {"c": float(r.randint(1, 400)), "d": float(r.randint(1, 4000))}
    lease = {**LEASE, "start": "2029-01", "sign_by": "2029-01", "months": 36}
    power = {"carbon": {"usd_per_tonne": 50.0}, "growth_per_year": 0.08, "currency": "EUR"}
    g = case(
        tiny(
            horizon={"periods": 8, "months_per_period": 3},
            contracts={x: {**lease, "curtailable_hours_per_year": h} for x, h in allowed.items()},
            power__a=power,
            currencies={"EUR": {"usd_per_unit": {"start": 1.2, "growth_per_month": 0.02}}},
        ),
        hours={"a": hours},
    )
    charge = carbon * 50.0 / 1000.0
    for x, most in allowed.items():
        on = np.ones(17520)
        for first in (0, 8760):
            order = sorted(
                range(first, first + 8760), key=lambda h: (not cut[h], -price[h] * 1.2 - charge[h])
            )
            on[order[: int(most)]] = 0.0
        for n in g.nodes:
            own = np.isin(month, [(3 * n + m) % 12 + 1 for m in range(3)]) * on / 2
            rate = sum(1.2 * 1.02 ** (3 * n + m) for m in range(3)) / 3
            grown = price * rate * 1.08 ** ((3 * n + 1.5) / 12) + charge + 8.0
            cost = 1.2 * 0.8 * float((own * grown).sum()) / 1e6
            assert g.hosting_energy[n, x, AI] == pytest.approx(cost, rel=1e-12)


def quarterly(allowed: float, **more: object) -> Instance:
    lease = {**LEASE, "start": "2029-01", "sign_by": "2029-01", "months": 24,
             "curtailable_hours_per_year": allowed, **more}  # fmt: skip
    return tiny(horizon={"periods": 4, "months_per_period": 3}, contracts__lease=lease)


def test_a_node_saves_the_hours_of_its_own_months() -> None:
    """Of 1,000 hours none lie before September, and all but 270 of two months in the last."""
    prices = {"a": months()}
    plain, off = (case(quarterly(h), hours=prices) for h in (0.0, 1000.0))
    key = ("lease", AI)
    saved = [plain.hosting_energy[n, *key] - off.hosting_energy[n, *key] for n in range(4)]
    # 1.2 times 0.8 MW at 41 and 40 $/MWh with 8 $ on top.
    last = 1.2 * 0.8 * (730 * 49 + 270 * 48) / 1e6
    assert saved == pytest.approx([0.0, 0.0, 0.0, last])
    # A year beyond the horizon costs what this one did.
    later = off.tail_margin[3, *key, TENANT] - plain.tail_margin[3, *key, TENANT]
    assert later == pytest.approx(last)


def test_what_tenants_pay_saves_the_owner_nothing() -> None:
    g = case(quarterly(1000.0, power_passed_through=True), hours={"a": months()})
    assert set(g.hosting_energy.values()) == {0.0}
    assert not any(off for key, off in g.off.items() if not g.cut[key])


def test_hours_that_grow_are_saved_at_their_price_then() -> None:
    grown = tiny(contracts__lease={**LEASE, "curtailable_hours_per_year": 100.0},
                 power__a__growth_per_year=0.1)  # fmt: skip
    plain = tiny(contracts__lease=LEASE, power__a__growth_per_year=0.1)
    one, other = (case(i, hours={"a": months()}) for i in (plain, grown))
    for n in (1, 2):
        price = 41.0 * 1.1 ** (n + 0.5) + 8.0
        saved = one.hosting_energy[n, "lease", AI] - other.hosting_energy[n, "lease", AI]
        assert saved == pytest.approx(100 * 1.2 * 0.8 * price / 1e6)
    key = (2, "lease", AI, TENANT)
    tail = sum(
        41.0 * 1.1 ** (3 + year + (m + 0.5) / 12) + 8.0 for year in (0, 1) for m in range(12)
    )
    saved = other.tail_margin[key] - one.tail_margin[key]
    assert saved == pytest.approx(100 * 1.2 * 0.8 * tail / 12 / 1e6)
