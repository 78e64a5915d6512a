"""Laws that every availability and every design keeps, on at least 500 instances each."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from models.availability import DOWNTIME_PARTS, Units, bank_unavailability
from models.derive.designs import Designs
from models.derive.reach import Bank, HallDesign, Promise, Reach, weight_of
from models.derive.uptime import Option, Plants
from models.instance import Instance
from models.outage import Standby, hours_lost, hours_lost_exactly
from models.redundancy import Candidate, Choice, candidates, frontier
from models.units import KW_PER_MW
from tests.models.uptime_cases import AI_MW, HALL_MW, NINES, draw, plants

INSTANCES = 500
#: Of these, generators are looked at in fractions too, which takes long.
IN_FRACTIONS = 60


# --- a higher promise never costs less -----------------------------------------------------


def cheapest_hall(instance: Instance) -> float:
    """Least capex per kW of a design that keeps the only promise of an instance."""
    designs = Designs(instance)
    (promise,) = designs.promises
    excluded = promise.planned_work_excluded
    return min(
        (
            design.capex_usd_per_kw
            for design in designs.packages(HALL_MW).values()
            if weight_of(designs.reach.package(design, planned_work_excluded=excluded), promise)
            <= DOWNTIME_PARTS
        ),
        default=math.inf,
    )


def cheapest_plant(instance: Instance, load: float) -> float:
    """Least capex of a plant that carries a load and keeps the only promise."""
    plant = plants(Designs(instance))
    (promise,) = plant.promises
    parts = [
        [
            (capex(plant, name, option), plant.weights[s, name, option.name, promise.name])
            for option in options
            if option.mw >= load and (s, name, option.name, promise.name) in plant.weights
        ]
        for (s, name), options in plant.options.items()
    ]
    return min(
        (
            sum(cost for cost, _ in ways)
            for ways in itertools.product(*parts)
            if sum(weight for _, weight in ways) <= DOWNTIME_PARTS
        ),
        default=math.inf,
    )


def capex(plant: Plants, part: str, option: Option) -> float:
    """Thousands of dollars of the units of an option."""
    kinds = plant.i.uptime.components
    return sum(
        count * (kinds[c].unit_mw or AI_MW) * KW_PER_MW * kinds[c].capex_usd_per_kw / 1e3
        for c, count in option.bank.counts
    )


def test_a_higher_promise_never_costs_less() -> None:
    dearer, lost = [0, 0], [0, 0]
    for seed in range(INSTANCES):
        r = random.Random(seed)
        low, high = sorted(r.sample(NINES, 2))
        load = r.uniform(0.5, AI_MW)
        one, other = draw(seed, (low,)), draw(seed, (high,))
        pairs = (
            (cheapest_hall(one), cheapest_hall(other)),
            (cheapest_plant(one, load), cheapest_plant(other, load)),
        )
        for i, (cheap, dear) in enumerate(pairs):
            assert cheap <= dear, (seed, low, high)
            dearer[i] += cheap < dear < math.inf
            lost[i] += cheap < dear == math.inf
    # The law is not kept by costing the same.
    assert min(dearer) >= 50
    assert min(lost) >= 20


def test_a_higher_promise_never_costs_less_on_a_frontier() -> None:
    for seed in range(INSTANCES):
        r = random.Random(f"frontier {seed}")
        designs = frontier([some_candidates(r) for _ in range(3)])
        spent = [
            min((d.spends[0] for d in designs if d.availability >= p), default=math.inf)
            for p in NINES
        ]
        assert spent == sorted(spent)


def test_the_cheapest_hall_of_a_promise_equals_enumeration() -> None:
    """Of every product of candidates, where planned work counts and kinds are not mixed.

    For the others see ``test_uptime_shortfalls.py``.
    """
    seen = 0
    for seed in itertools.count():
        if seen >= INSTANCES:
            break
        promised = random.Random(f"cheapest {seed}").choice(NINES)
        instance = draw(seed, (promised,))
        mixed = any(part.mixing for part in instance.uptime.subsystems.values())
        if mixed or instance.contracts["c0"].planned_work_excluded:
            continue
        expected = cheapest_of_all(instance)
        assert cheapest_hall(instance) == pytest.approx(expected, rel=1e-12), seed
        seen += 1


def cheapest_of_all(instance: Instance) -> float:
    """Least capex per kW of a design that keeps the only promise, by trying all."""
    designs = Designs(instance)
    (promise,) = designs.promises
    parts = [designs._candidates(name, HALL_MW) for name in designs.of_halls]
    best = math.inf
    for chosen in itertools.product(*parts):
        spent = sum(candidate.spends[0] for candidate, _ in chosen) / (HALL_MW * KW_PER_MW)
        if spent < best and fits(designs, tuple(bank for _, bank in chosen), promise):
            best = spent
    return best


def fits(designs: Designs, banks: tuple[Bank, ...], promise: Promise) -> bool:
    """Whether a hall made of some banks keeps a promise."""
    made = HallDesign("made", 0.0, 0.0, 0, banks=banks)
    down = designs.reach.package(made, planned_work_excluded=promise.planned_work_excluded)
    return weight_of(down, promise) <= DOWNTIME_PARTS


def some_candidates(r: random.Random) -> list[Candidate]:
    choices = [
        Choice(10 ** r.uniform(-6, -2), (float(r.randint(1, 9)),), r.choice((0.0, 0.05)))
        for _ in range(2)
    ]
    needed = r.randint(1, 3)
    return candidates(choices, needed, needed + 2, mixing=r.random() < 0.5)


# --- an added unit never lowers availability -----------------------------------------------


def test_an_added_unit_of_any_kind_never_lowers_availability() -> None:
    for seed in range(INSTANCES):
        r = random.Random(f"mixed {seed}")
        groups = [some_units(r) for _ in range(r.randint(1, 3))]
        needed = r.randint(1, sum(units.count for units in groups))
        less = bank_unavailability(groups, needed)
        for i, units in enumerate(groups):
            one = units.maintenance_share / units.count
            more = replace(units, count=units.count + 1, maintenance_share=(units.count + 1) * one)
            assert bank_unavailability([*groups[:i], more, *groups[i + 1 :]], needed) <= less
        assert bank_unavailability([*groups, replace(some_units(r), count=1)], needed) <= less


def some_units(r: random.Random) -> Units:
    count = r.randint(1, 4)
    return Units(
        count,
        Fraction(r.randint(1, 300), 1000),
        Fraction(r.randint(0, 50), 100),
        count * Fraction(r.randint(0, 30), 1000),
    )


def test_an_added_generator_never_lowers_availability() -> None:
    for seed in range(INSTANCES):
        r = random.Random(f"standby {seed}")
        ready, fails = Fraction(r.randint(900, 1000), 1000), Fraction(r.randint(0, 100), 1000)
        plant = Standby(ready, fails, Fraction(r.choice((20, 50, 1100, 20_000))))
        needed, hours = r.randint(1, 6), Fraction(r.randint(1, 480), 10)
        count = r.randint(needed, needed + 3)
        if seed < IN_FRACTIONS:
            exact = [hours_lost_exactly(plant, n, needed, hours) for n in (count, count + 1)]
            assert exact[1] <= exact[0] <= hours
        floats = [hours_lost(plant, n, needed, float(hours)) for n in (count, count + 1)]
        assert floats[1] <= floats[0] * (1 + 1e-12)


def test_an_added_generator_never_lowers_availability_behind_a_feed() -> None:
    """From no generator at all to one more than enough, where a UPS carries the start."""
    for seed in range(INSTANCES):
        r = random.Random(f"feed {seed}")
        instance = fed(r, ride_through=60.0)
        needed = r.randint(1, 4)
        assert falls(behind(instance, needed, 3))


def test_with_a_start_in_the_dark_an_added_generator_never_lowers_availability() -> None:
    """From enough on; the first is another matter: ``test_uptime_shortfalls.py``."""
    for seed in range(INSTANCES):
        r = random.Random(f"dark {seed}")
        assert falls(behind(fed(r, ride_through=0.0), r.randint(1, 4), 3)[1:])


def fed(r: random.Random, ride_through: float) -> Instance:
    """Draw an instance with generators behind a feed."""
    seeds = (draw(r.randrange(10**6)) for _ in iter(int, 1))
    instance = next(i for i in seeds if "power" in i.uptime.subsystems)
    power = instance.uptime.subsystems["power"]
    changed = power.model_copy(update={"ride_through_seconds": ride_through})
    parts = {**instance.uptime.subsystems, "power": changed}
    uptime = instance.uptime.model_copy(update={"subsystems": parts})
    return instance.model_copy(update={"uptime": uptime})


def behind(instance: Instance, needed: int, spares: int) -> list[float]:
    """Unavailability without generators, and with enough and more of them."""
    reach = Reach(instance)
    banks = [Bank("power", (), 0)]
    banks += [Bank("power", (("diesel", n),), needed) for n in range(needed, needed + spares + 1)]
    return [float(reach.bank(bank)) for bank in banks]


def falls(downs: list[float]) -> bool:
    return all(more <= less * (1 + 1e-12) for less, more in itertools.pairwise(downs))


# --- more common cause never raises availability -------------------------------------------


def test_more_common_cause_never_raises_availability_where_there_is_a_spare() -> None:
    """With a spare, a failure alone is harmless and one in common is not.

    Without one (n = k) every failure counts, and units that fail together instead of one after
    the other are down for less of the time: there common cause helps a little, and the law holds
    the other way round. So it does for one unit of its kind, to the second order. The law needs
    failures that are rare: where units are mostly down, failing together helps as well.
    """
    helped = 0
    for seed in range(INSTANCES):
        r = random.Random(f"cause {seed}")
        count = r.randint(2, 8)
        needed = r.randint(1, count - 1)
        q = Fraction(r.randint(1, 20), 1000 * count**2)
        low, high = sorted(Fraction(x, 100) for x in r.sample(range(101), 2))
        assert down(count, q, low, needed) <= down(count, q, high, needed)
        # No spare: the other way round.
        assert down(count, q, low, count) >= down(count, q, high, count)
        helped += down(count, q, low, count) > down(count, q, high, count)
    assert helped >= INSTANCES - 20


def down(count: int, q: Fraction, beta: Fraction, needed: int) -> Fraction:
    return Fraction(bank_unavailability([Units(count, q, beta)], needed))


# --- more pooled mining never lowers the availability of AI --------------------------------


def test_more_pooled_mining_at_the_same_ai_never_lowers_the_availability_of_ai() -> None:
    """On a pooled plant mining brings units of its own; AI needs as many of them as before."""
    tried, better = 0, 0
    for seed in itertools.count():
        if tried >= INSTANCES:
            break
        plant = plants(Designs(draw(seed)))
        rows = list(same_ai(plant))
        for promise, options in itertools.product(plant.promises[:2], rows):
            excluded = promise.planned_work_excluded
            shares = [plant.reach.bank(o.bank, planned_work_excluded=excluded) for o in options]
            assert falls([float(share) for share in shares]), (seed, options)
            weights = [weight_or_more(plant, option, promise) for option in options]
            assert weights == sorted(weights, reverse=True), (seed, options)
            assert len({option.mw for option in options}) == 1
            better += weights[-1] < weights[0]
        tried += bool(rows)
    assert better >= INSTANCES


def same_ai(plant: Plants) -> Iterator[list[Option]]:
    """Options of one kind that carry the same AI on the same needed units, by rising number."""
    for options in plant.options.values():
        built = [option for option in options if option.bank.counts]
        for _, same in itertools.groupby(built, lambda o: (o.unit, o.bank.needed)):
            yield sorted(same, key=lambda o: o.units)


def weight_or_more(plant: Plants, option: Option, promise: Promise) -> int:
    key = "a", option.bank.subsystem, option.name, promise.name
    return plant.weights.get(key, DOWNTIME_PARTS + 1)
