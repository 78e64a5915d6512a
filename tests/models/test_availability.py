"""Availability against published vectors, exact fractions, enumeration and the laws it keeps."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.availability import (
    Repaired,
    Units,
    bank_outages_per_year,
    bank_unavailability,
    downtime_weight,
    hours_per_year,
    joint_probabilities,
    minutes_per_year,
    series,
    unit_unavailability,
    up_probabilities,
)
from models.outage import (
    Battery,
    Standby,
    chance_lost,
    hours_lost,
    hours_lost_exactly,
    still_up,
    survival,
)
from models.sla import (
    Credit,
    Outage,
    breached_month,
    breached_year,
    downtime_above,
    expected_credit,
)

#: Outages of an hour, 99.99 % on average.
HOURLY = [Outage(0.876, 1.0)]
GENERATORS = Standby(0.995, 0.0094, 1100.0)

#: Each vector of the calculators: what this code gives, what was published, its last digit.
VECTORS = {
    "two generators, up (REopt.jl)": (
        up_probabilities(2, 0.99 * 0.95),
        [0.00354025, 0.11192, 0.88454],
        5e-6,
    ),
    "two types of generators, up (REopt.jl)": (
        joint_probabilities([up_probabilities(2, 0.99 * 0.95), up_probabilities(1, 0.95 * 0.9)]),
        [0.000513336, 0.0162283, 0.128258, 0.00302691, 0.0956912, 0.756282],
        5e-7,
    ),
    "one step of failures (REopt.jl)": (
        still_up([0.1, 0.25], [2, 1])[-1],
        [0.0025, 0.045, 0.2025, 0.0075, 0.135, 0.6075],
        1e-12,
    ),
    "two generators and a battery (REopt.jl)": (
        survival([0, 0, 1], 0.8, 1.0, [1, 2, 2], Battery(4, 1, charge=0.75, floor=0.5)),
        [1.0, 0.8704, 0.557056],
        1e-12,
    ),
    "a generator and a battery through a day (REopt.jl)": (
        survival([1 - 0.98 * 0.9, 0.98 * 0.9], 0.99, 100.0, [100.0] * 24, Battery(400, 100))[-1:],
        [0.7213939],
        5e-8,
    ),
    "common cause in two of three (fta-studio)": (
        [0.05 * 1e-3 + 3 * (0.95e-3) ** 2, bank_unavailability([Units(3, 1e-3, 0.05)], 2)],
        [5.3e-5, 5.3e-5],
        5e-7,
    ),
    "an inverter (IEEE 493-2007)": (
        [1 - unit_unavailability(0.00482, 26.0)],
        [0.99998569],
        5e-9,
    ),
    "hours a year": (
        [hours_per_year(1 - a) for a in (0.99671, 0.99741, 0.99982, 0.99995)],
        [28.82, 22.69, 1.577, 0.438],
        5e-3,
    ),
    "minutes a year and a month": (
        [minutes_per_year(1e-4), minutes_per_year(1e-4) / 12],
        [52.56, 4.38],
        1e-9,
    ),
    "ten blocks, so many of them for AI": (
        [bank_unavailability([Units(10, 5e-4)], k) for k in (10, 9, 8, 7, 6)],
        [4.989e-3, 1.122e-5, 1.496e-8, 1.309e-11, 7.859e-15],
        "relative 1e-3",
    ),
    "the floor that common cause sets": (
        [1 - bank_unavailability([Units(5, 2e-4, b)], 4) for b in (0.0, 0.01, 0.02, 0.05, 0.1)],
        [0.9999996002, 0.9999976081, 0.9999956160, 0.9999896391, 0.9999796761],
        5e-11,
    ),
    "generators in two outages of two hours": (
        [2 * hours_lost(GENERATORS, n, 4, 2.0) for n in (4, 5, 6)],
        [0.238446, 0.009030, 0.000275],
        5e-7,
    ),
    "months and years below 99.99 %": (
        [breached_month(HOURLY, 0.9999), breached_year(HOURLY, 0.9999)],
        [0.06562, 0.5571],
        5e-5,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_published_vectors(name):
    found, published, digits = VECTORS[name]
    tolerance = {"rel": 1e-3} if isinstance(digits, str) else {"rel": 0, "abs": digits}
    assert found == pytest.approx(published, **tolerance)


# --- against other ways of counting ---------------------------------------------------------

SHARES = st.fractions(min_value=0, max_value=1, max_denominator=50)


def enumerated(groups, needed):
    """Probability of too few, over every state of every unit and every common cause."""
    lost = Fraction(0)
    for struck in itertools.product((0, 1), repeat=len(groups)):
        for down in itertools.product(*[range(2**n) for n, _, _ in groups]):
            chance, up = Fraction(1), 0
            for hit, state, (n, q, beta) in zip(struck, down, groups, strict=True):
                failed = state.bit_count()
                chance *= beta * q if hit else 1 - beta * q
                chance *= ((1 - beta) * q) ** failed * (1 - (1 - beta) * q) ** (n - failed)
                up += 0 if hit else n - failed
            lost += chance * (up < needed)
    return lost


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), SHARES, SHARES), min_size=1, max_size=2), st.data())
def test_a_bank_equals_its_enumeration(groups, data):
    needed = data.draw(st.integers(1, sum(n for n, _, _ in groups)))
    units = [Units(n, q, beta) for n, q, beta in groups]
    assert bank_unavailability(units, needed) == enumerated(groups, needed)


def test_planned_work_takes_one_unit_out():
    q, out = Fraction(1, 100), Fraction(2, 100)
    with_work = bank_unavailability([Units(3, q, 0, out)], 2)
    three, two = bank_unavailability([Units(3, q)], 2), bank_unavailability([Units(2, q)], 2)
    assert with_work == (1 - out) * three + out * two
    assert bank_unavailability([Units(2, q, 0, out)], 2) == (1 - out) * two + out


def test_small_tails_keep_their_digits():
    exact = bank_unavailability([Units(12, Fraction(1, 10**6))], 6)
    assert bank_unavailability([Units(12, 1e-6)], 6) == pytest.approx(float(exact), rel=1e-13)
    assert float(exact) < 1e-38


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 200))
def test_generators_in_fractions_and_floats_agree(count, needed, tenths):
    exact = hours_lost_exactly(
        Standby(Fraction(995, 1000), Fraction(94, 10000), Fraction(1100)),
        count,
        needed,
        Fraction(tenths, 10),
    )
    assert hours_lost(GENERATORS, count, needed, tenths / 10) == pytest.approx(
        float(exact), rel=1e-11
    )


@pytest.mark.parametrize(("n", "k", "beta"), [(1, 1, 0.0), (3, 2, 0.0), (5, 3, 0.1), (4, 4, 0.2)])
def test_outages_are_the_slope_of_the_chain(n, k, beta):
    """Frequency from the balance of a birth and death chain beside a common cause."""
    q, hours = 0.02, 5.0
    b = (1 - beta) * q
    states = [math.comb(n, i) * (1 - b) ** i * b ** (n - i) for i in range(n + 1)]
    per_hour = b / (1 - b) / hours
    alone_up = sum(states[k:])
    common_per_hour = beta * q / (1 - beta * q) / hours
    crossings = (1 - beta * q) * (states[k] * k * per_hour + alone_up * common_per_hour)
    found = bank_outages_per_year([Repaired(Units(n, q, beta), hours)], k)
    assert found == pytest.approx(8760 * crossings, rel=1e-12)


def test_outages_of_mixed_units_are_those_of_their_markov_chain():
    """Two kinds with a common cause each: flow from up to down, state by state."""
    kinds = [(2, 0.02, 0.1, 5.0), (1, 0.05, 0.2, 12.0)]
    groups = [Repaired(Units(n, q, beta), hours) for n, q, beta, hours in kinds]
    # A unit fails by itself, a common cause takes all of its kind: each is up or down.
    parts = []
    for kind, (n, q, beta, hours) in enumerate(kinds):
        parts += [(kind, "unit", (1 - beta) * q, hours)] * n + [(kind, "cause", beta * q, hours)]

    def up(state):
        causes = {kind for (kind, what, *_), on in zip(parts, state, strict=True)
                  if what == "cause" and not on}  # fmt: skip
        return sum(on for (kind, what, *_), on in zip(parts, state, strict=True)
                   if what == "unit" and kind not in causes)  # fmt: skip

    for needed in (1, 2, 3):
        flow = 0.0
        for state in itertools.product((True, False), repeat=len(parts)):
            chance = math.prod(1 - b if on else b
                               for (*_, b, _), on in zip(parts, state, strict=True))  # fmt: skip
            for i, (*_, b, hours) in enumerate(parts):
                after = (*state[:i], False, *state[i + 1 :])
                if state[i] and up(state) >= needed > up(after):
                    flow += chance * 8760 / hours * b / (1 - b)
        assert bank_outages_per_year(groups, needed) == pytest.approx(flow, rel=1e-9)


def test_planned_work_on_a_unit_without_spare_is_an_outage_each_time():
    """Four units that never fail, each out for eight hours once a year: four outages."""
    units = Units(4, 0.0, 0.0, 4 * 8 / 8760)
    assert bank_outages_per_year([Repaired(units, 5.0, 4)], 4) == pytest.approx(4.0)
    assert bank_outages_per_year([Repaired(units, 5.0, 4)], 3) == 0.0


def test_outages_not_bridged_are_those_with_too_few_generators_at_their_end():
    """The slope of the hours lost in the length of the outage."""
    step = 1e-5
    slope = hours_lost(GENERATORS, 5, 4, 2.0 + step) - hours_lost(GENERATORS, 5, 4, 2.0 - step)
    assert chance_lost(GENERATORS, 5, 4, 2.0) == pytest.approx(slope / (2 * step), rel=1e-6)


def test_a_month_counts_every_number_of_outages():
    # Without any allowance, a month is broken unless no outage comes.
    assert downtime_above([Outage(6.0, 2.0)], 0.0) == pytest.approx(1 - math.exp(-0.5), rel=1e-14)
    assert downtime_above([Outage(0.0, 2.0)], 1.0) == 0.0
    ladder = [Credit(0.99, 0.3), Credit(0.9999, 0.1)]
    months = [breached_month([Outage(2.0, 3.0)], step.below) for step in ladder]
    assert expected_credit([Outage(2.0, 3.0)], ladder) == pytest.approx(
        0.1 * months[1] + 0.2 * months[0]
    )


# --- laws ----------------------------------------------------------------------------------

SMALL = st.floats(1e-7, 0.05)


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 9), st.data(), SMALL, st.floats(0, 0.5), st.floats(0, 0.01))
def test_an_added_unit_never_lowers_availability(count, data, q, beta, out):
    needed = data.draw(st.integers(1, count))
    less = bank_unavailability([Units(count, q, beta, count * out)], needed)
    more = bank_unavailability([Units(count + 1, q, beta, (count + 1) * out)], needed)
    assert more <= less * (1 + 1e-12)


@settings(max_examples=500, deadline=None)
@given(st.integers(2, 8), st.data(), SMALL, st.floats(0, 0.4), st.floats(0.001, 0.1))
def test_more_common_cause_never_raises_the_availability_of_spare_units(n, data, q, beta, step):
    needed = data.draw(st.integers(1, n - 1))
    # A spare beats single failures while these are rare beside the common cause.
    q = min(q, 0.02 / n**2)
    less = bank_unavailability([Units(n, q, beta)], needed)
    more = bank_unavailability([Units(n, q, beta + step)], needed)
    assert more >= less * (1 - 1e-12)


def test_without_a_spare_common_cause_helps_a_little():
    """Ten blocks that all are needed fail together instead of one by one."""
    minutes = [
        round(minutes_per_year(bank_unavailability([Units(10, 5e-4, beta)], 10)))
        for beta in (0.0, 0.02, 0.05)
    ]
    assert minutes == [2622, 2575, 2504]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(1e-9, 0.01), min_size=1, max_size=6), st.integers(2, 6))
def test_weights_that_fit_keep_the_promise_in_fractions(parts, nines):
    promised = 1 - Fraction(1, 10**nines)
    weights = [downtime_weight(u, float(promised)) for u in parts]
    if sum(weights) <= 1_000_000:
        assert 1 - series([Fraction(u) for u in parts]) >= promised
    else:
        # Rounding up costs at most one part of a million for each subsystem.
        used = sum(-math.log1p(-u) for u in parts) / -math.log(promised)
        assert used > 1 - len(parts) * 1.001e-6
