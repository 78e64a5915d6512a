"""Conflicts planted in small instances: which limits are too tight is known by construction.

Every conflict is a base that has a plan and one to three keys that are then typed tight. It is
only taken where the base and every proper subset of the tight keys leave a plan, and all of them
together none, each by a solve of its own: then each tight key is part of every clash there is.

Two kinds. A contract that one, two or three sites could each serve alone, each site blocked in
its own way. And money, dates, promises, shares, energy and whole numbers against one company.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w

from models.hours import flat
from models.instance import Instance
from optimizer.answers.conflict.questions import opened
from optimizer.case import Case, prepare
from optimizer.compiled import compile_case
from optimizer.errors import InputRefused
from optimizer.highs import Options, run
from optimizer.solve import solve
from tests.models.tiny import BASE, LEASE, OWNED, merged

ANY_PLAN = Options(gap=1e9, time_limit=60.0)
Typed = dict[str, Any]


@dataclass(frozen=True)
class Planted:
    """A conflict.

    Attributes
    ----------
    name : str
        What was planted.
    base : dict
        An instance that has a plan.
    tight : mapping of str to object
        By dotted key, what is typed too tight.
    whole_only : bool
        Whether there would be a plan if nothing had to be whole; worked out once it is taken.
    """

    name: str
    base: Typed
    tight: Mapping[str, Any]
    whole_only: bool = False

    @property
    def typed(self) -> Typed:
        """The instance without a plan."""
        return put(self.base, self.tight)

    @property
    def width(self) -> int:
        """How many limits are too tight."""
        return len(self.tight)


def put(typed: Typed, values: Mapping[str, Any]) -> Typed:
    """Put values into a document by dotted key; lists by position, None takes a key out."""
    new = deepcopy(typed)
    for text, value in values.items():
        holder: Any = new
        *before, last = text.split(".")
        if text.startswith("policy.keep_sites."):
            new.setdefault("policy", {}).setdefault("keep_sites", []).append(value)
            continue
        for part in before:
            holder = holder[int(part)] if isinstance(holder, list) else holder.setdefault(part, {})
        if value is None:
            holder.pop(last, None)
        elif isinstance(holder, list):
            holder[int(last)] = value
        else:
            holder[last] = value
    return new


def folder(at: Path, typed: Typed) -> Path:
    """Write an instance folder."""
    at.mkdir(parents=True, exist_ok=True)
    (at / "instance.toml").write_text(tomli_w.dumps(typed), encoding="utf-8")
    return at


def case_of(typed: Typed) -> Case:
    """Derive a case, whatever the loader says of it."""
    instance = Instance.model_validate(typed)
    return prepare(instance, {name: flat(40.0) for name in instance.power})


def has_plan(typed: Typed) -> bool:
    """Whether an instance has a plan, by a solve that ends with the first one."""
    status = solve(case_of(typed), ANY_PLAN).status
    assert status in ("solved", "best-found", "infeasible"), status
    return status != "infeasible"


def has_divided_plan(typed: Typed) -> bool:
    """Whether it has one where nothing has to be whole."""
    model = compile_case(case_of(typed))
    if model.built.contradictions:
        return False
    matrix = model.matrix
    return run(replace(matrix, integer=matrix.integer & False), Options(gap=1.0)).x is not None


def is_read(typed: Typed) -> bool:
    """Whether the loader refuses it for nothing but that no plan is possible."""
    with tempfile.TemporaryDirectory() as home:
        try:
            opened(folder(Path(home) / "instance", typed))
        except InputRefused:
            return False
    return True


def is_sound(planted: Planted) -> bool:
    """Whether all tight keys together leave no plan, and any fewer of them do."""
    if not is_read(planted.typed) or has_plan(planted.typed):
        return False
    keys = list(planted.tight)
    smaller = (
        {key: planted.tight[key] for key in some}
        for count in range(len(keys))
        for some in itertools.combinations(keys, count)
    )
    return all(has_plan(put(planted.base, some)) for some in smaller)


# --- bases ----------------------------------------------------------------------------------

COMPANY: Typed = merged(
    BASE,
    {
        "instance": {"accept_unusual": ["racks.gpu.kw"]},
        "fleet": [{"hall": "h", "rack": "rig", "racks": 4, "age_months": 0}],
    },
)


def signed(mw: float, offer: Mapping[str, Any] = LEASE, **more: Any) -> Typed:
    """The company with a contract that it has signed."""
    terms = {**offer, "min_mw": 0.3, "sign_by": "2028-12", **more}
    return merged(
        COMPANY,
        {
            "contracts": {"lease": terms},
            "commitments": {"contracts": [{"contract": "lease", "mw": mw}]},
        },
    )


def sites(names: str, mw: float) -> Typed:
    """A company of several sites, each with one hall group that could serve what is signed."""
    typed = signed(mw)
    site, hall = typed["sites"]["a"], typed["halls"]["h"]
    plain = {"site": "", "count": 1, "it_mw": 4.0, "rack_positions": 10.0, "fitout": "mine"}
    return {
        **typed,
        "sites": {s: {**site, "power": "a"} for s in names},
        "halls": {f"hall-{s}": {**hall, **plain, "site": s} for s in names},
        "fleet": [],
        "finance": {
            **typed["finance"],
            "capex_budget_by_site_musd": {s: 60.0 + i for i, s in enumerate(names)},
        },
    }


def _blocks(s: str, mw: float, chance: random.Random) -> dict[str, Any]:
    """Ways to keep one site from serving what is signed there, one key each."""
    peak = 1.3 * mw
    return {
        f"sites.{s}.firm_mw": round(peak * chance.uniform(0.2, 0.95), 2),
        f"sites.{s}.ai_mw_max": round(peak * chance.uniform(0.2, 0.95), 2),
        f"sites.{s}.substation_mw": round(peak * chance.uniform(0.2, 0.95), 2),
        f"sites.{s}.fibre": False,
        f"halls.hall-{s}.convertible": False,
        f"halls.hall-{s}.fitouts": ["mine"],
        f"halls.hall-{s}.count": 0,
        f"policy.keep_sites.{s}": s,
        f"finance.capex_budget_by_site_musd.{s}": round(5.0 * chance.uniform(0.1, 0.95), 1),
    }


def by_sites(width: int, number: int, seed: int) -> Iterator[Planted]:
    """Contracts that so many sites could each serve alone, each site blocked in its own way."""
    chance = random.Random(f"{width} {seed}")
    names = "abc"[:width]
    for _ in range(number):
        mw = round(chance.uniform(0.5, 1.9), 1)
        tight: dict[str, Any] = {}
        for s in names:
            key, value = chance.choice(sorted(_blocks(s, mw, chance).items(), key=str))
            tight[key] = value
        told = ", ".join(key.partition(".")[2] for key in tight)
        yield Planted(f"{mw} MW against {told}", sites(names, mw), tight)


# --- one company ----------------------------------------------------------------------------

#: A loan, and little cash beside it.
LENT: Typed = {
    "opening_cash_musd": 1.0,
    "loan": {"limit_musd": 40.0, "interest_per_year": 0.05, "draw_until": "2031-12"},
}
LINE: Typed = {
    "site": "a", "adds_firm_mw": 1.0, "capex_musd": 0.5, "months": 12, "max_units": 5,
    "life_months": 120,
}  # fmt: skip
CARBON: Typed = {"kg_per_mwh": 400.0, "cap_tonnes_per_year": 60_000.0}


def owed(typed: Typed, musd: float) -> Typed:
    """What is still to be paid for racks on order."""
    order = {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-01", "due_musd": musd}
    return merged(typed, {"commitments": {"racks": [order]}})


def budgeted(typed: Typed) -> Typed:
    """Every kind of budget, all of them wide."""
    return merged(
        typed,
        {
            "finance": {
                "capex_budget_musd": 70.0,
                "capex_budget_by_site_musd": {"a": 80.0},
                "capex_budget_by_period": [{"from": "2029-01", "to": "2031-12", "musd": 90.0}],
            }
        },
    )


def _budget_keys() -> list[str]:
    return [
        "finance.capex_budget_musd", "finance.capex_budget_by_site_musd.a",
        "finance.capex_budget_by_period.0.musd",
    ]  # fmt: skip


def one_company(chance: random.Random) -> Iterator[Planted]:
    """Conflicts of one company with one site, of every family that is left."""
    u = chance.uniform
    due, mw = round(u(3.0, 20.0), 1), round(u(0.5, 1.9), 1)
    for key in _budget_keys():
        tight = round(due * u(0.2, 0.9), 1)
        yield Planted(f"{due} M$ owed", budgeted(owed(COMPANY, due)), {key: tight})
        tight = round(5.0 * u(0.2, 0.95), 1)
        yield Planted(f"works for {mw} MW", budgeted(signed(mw)), {key: tight})
        big = round(u(2.1, 2.9), 1)
        tight = round(u(2.5 * big + 0.3, 9.5), 1)
        yield Planted(f"two halls for {big} MW", budgeted(signed(big)), {key: tight})
    yield from _cash(chance, due)
    lent = merged(signed(mw), {"finance": LENT})
    yield Planted("a small loan", lent, {"finance.loan.limit_musd": round(u(0.5, 3.0), 1)})
    yield Planted(
        "a small share", lent, {"finance.loan.loan_to_cost_share": round(u(0.05, 0.6), 2)}
    )
    early = merged(lent, {"racks": {"rig": {"buyable": False}}})
    yield Planted("draws too early", early, {"finance.loan.draw_until": "2028-12"})
    yield from _promised(chance, mw)
    yield from _energy(chance, mw)
    yield from _shares(chance)
    yield from _projects(chance, mw)
    yield from _owner_racks(chance)
    yield from _pairs(chance, mw)
    yield from costly(chance)


def costly(chance: random.Random) -> Iterator[Planted]:
    """Limits that cost something once there is more of them: MW that are billed, halls' upkeep."""
    mw = round(chance.uniform(1.2, 1.9), 1)
    charge = {"demand_charge_usd_per_kw_month": 5.0, "billing_floor_share": 1.0}
    yield Planted("billed MW", merged(signed(mw), {"power": {"a": charge}}),
                  {"sites.a.firm_mw": round(1.3 * mw * chance.uniform(0.5, 0.95), 2)})  # fmt: skip
    upkeep = {"opex_usd_per_kw_year": 400.0}
    poor = merged(signed(round(chance.uniform(2.6, 2.9), 1)), {
        "racks": {"rig": {"buyable": False}}, "fitouts": {"mine": upkeep, "ai": upkeep},
        "finance": {"opening_cash_musd": 14.0},
    })  # fmt: skip
    yield Planted("halls with upkeep", {**poor, "fleet": []}, {"halls.h.count": 1})
    large = put(signed(round(chance.uniform(8.2, 9.8), 1)), {
        "halls.h.count": 5, "sites.a.firm_mw": 40.0, "contracts.lease.max_mw": 20.0,
    })  # fmt: skip
    yield Planted("many more halls", large, {"halls.h.count": 1})


def _cash(chance: random.Random, due: float) -> Iterator[Planted]:
    base = owed(COMPANY, 40.0 + due)
    yield Planted("little cash", base, {"finance.opening_cash_musd": round(chance.uniform(2, 25))})
    yield Planted("much cash to keep", base,
                  {"finance.minimum_cash_musd": round(chance.uniform(75, 95))})  # fmt: skip
    note = [{"name": "note", "month": "2030-03", "principal_musd": 5.0}]
    indebted = merged(COMPANY, {"commitments": {"debt": note}})
    much = {"commitments.debt.0.principal_musd": round(chance.uniform(130, 220))}
    yield Planted("much to repay", indebted, much)
    yield Planted("much owed", owed(COMPANY, 5.0),
                  {"commitments.racks.0.due_musd": round(chance.uniform(130, 220))})  # fmt: skip


def _promised(chance: random.Random, mw: float) -> Iterator[Planted]:
    base = signed(mw)
    nines = chance.choice((0.9995, 0.9999, 0.99999))
    yield Planted("more than reached", base, {"contracts.lease.availability": nines})
    poor = {"uptime.packages.n1.availability": chance.choice((0.95, 0.99, 0.998))}
    yield Planted("a poor package", base, poor)
    yield Planted("an early start", base, {"contracts.lease.start": "2029-01"})
    late = signed(mw, start="2029-01", latest_delivery="2030-01")
    yield Planted("a late delivery", late, {"contracts.lease.latest_delivery": "2029-06"})
    yield Planted("air for the tenant", base, {"contracts.lease.cooling": "hydro"})
    dense = merged(signed(mw, kw_per_rack=100.0), {"fitouts": {"ai": {"kw_per_rack_max": 150.0}}})
    yield Planted("dense racks", dense, {"contracts.lease.kw_per_rack": 180.0})
    yield Planted("a light fit-out", dense, {"fitouts.ai.kw_per_rack_max": 80.0})
    yield Planted("halls that stay", base, {"fitouts.mine.can_go_back": False})
    yield Planted("no reuse of halls", base, {"policy.reuse_halls": False})
    yield Planted("no reuse of power", base, {"policy.reuse_power": False})
    far = merged(base, {"sites": {"b": {"firm_mw": 8.0, "power": "a"}}})
    yield Planted("a site without halls", far, {"contracts.lease.sites": ["b"]})
    three = signed(round(chance.uniform(2.1, 2.9), 1))
    yield Planted("one hall for two", three, {"halls.h.count": 1})


def _energy(chance: random.Random, mw: float) -> Iterator[Planted]:
    used = mw * 0.8 * 1.2 * 8760.0
    cap = round(used * chance.uniform(0.3, 0.9))
    limited = merged(signed(mw), {"power": {"a": {"energy_cap_mwh_per_year": 200_000.0}}})
    yield Planted("little energy", limited, {"power.a.energy_cap_mwh_per_year": float(cap)})
    carbon = merged(signed(mw), {"power": {"a": {"carbon": CARBON}}})
    tonnes = round(0.4 * used * chance.uniform(0.3, 0.9))
    yield Planted("little carbon", carbon,
                  {"power.a.carbon.cap_tonnes_per_year": float(tonnes)})  # fmt: skip


def _shares(chance: random.Random) -> Iterator[Planted]:
    """Shares of the two businesses, where racks cannot be bought or must be."""
    fixed = merged(signed(1.8), {"racks": {"rig": {"buyable": False}}})
    least = round(chance.uniform(0.75, 0.95), 2)
    yield Planted("much mining", fixed, {"policy.mining_share_min": least})
    yield Planted("little AI", fixed, {"policy.ai_share_max": round(1 - least, 2)})
    # At a site that stays as it is machines stand, so a share of AI has to be signed for.
    offers = merged(COMPANY, {
        "machines": {"m": {"life_months": 60}},
        "sites": {"b": {"firm_mw": 8.0, "power": "a"}},
        "halls": {"kept": {"site": "b", "count": 1, "it_mw": 4.0, "fitout": "mine"}},
        "contracts": {"lease": {**LEASE, "min_mw": 0.5}},
        "finance": {"capex_budget_musd": 60.0},
        "policy": {"ai_share_min": 0.2, "shares_from": "2031-01", "keep_sites": ["b"]},
    })  # fmt: skip
    offers["fleet"] = [{"hall": "kept", "rack": "rig", "racks": 4, "age_months": 0}]
    yield Planted("AI without money", offers,
                  {"finance.capex_budget_musd": round(chance.uniform(0.5, 4.0), 1)})  # fmt: skip
    yield Planted("AI of an early offer", offers, {"contracts.lease.sign_by": "2028-06"})
    yield Planted("AI too early", offers, {"policy.shares_from": "2029-01"})
    yield Planted("more AI than offered", offers,
                  {"policy.ai_share_min": round(chance.uniform(0.5, 0.8), 2)})  # fmt: skip
    yield Planted("little offered", offers, {"contracts.lease.max_mw": 0.6})
    yield Planted("large least MW", put(offers, {"sites.a.firm_mw": 3.0}),
                  {"contracts.lease.min_mw": round(chance.uniform(2.4, 2.9), 1)})  # fmt: skip


def _projects(chance: random.Random, mw: float) -> Iterator[Planted]:
    small = merged(signed(mw, start="2031-01"),
                   {"sites": {"a": {"firm_mw": 0.2}}, "projects": {"line": LINE}})  # fmt: skip
    yield Planted("no line in time", small, {"projects.line.earliest": "2030-06"})
    yield Planted("no line any more", small, {"projects.line.latest": "2028-06"})
    more = round(chance.uniform(1.65, 1.9), 2)
    two = put(small, {"commitments.contracts.0.mw": more, "sites.a.firm_mw": 0.2})
    yield Planted("one line for two", two, {"projects.line.max_units": 1})
    part = merged(two, {"projects": {"line": {"capex_musd": 5.0}},
                        "finance": {"capex_budget_musd": 60.0}})  # fmt: skip
    # Lines for what is missing cost 5 M$ a MW; of whole ones two or three are needed.
    need = 5.0 + 5.0 * (1.3 * more - 0.2)
    whole = 5.0 + 5.0 * -(-(1.3 * more - 0.2) // 1.0)
    tight = round(need + (whole - need) * chance.uniform(0.3, 0.9), 1)
    yield Planted("part of a line", part, {"finance.capex_budget_musd": tight})


def _owner_racks(chance: random.Random) -> Iterator[Planted]:
    """GPU racks of 100 kW that the company has to buy for what it signed."""
    racks = chance.choice((4, 6, 8))
    mw = round(0.1 * racks - 0.04, 2)
    owner = signed(mw, {**OWNED, "start": "2031-01"})
    owner = merged(owner, {"fitouts": {"ai": {"kw_per_rack_max": 150.0}},
                           "finance": {"capex_budget_musd": 60.0}})  # fmt: skip
    yield Planted("no GPU racks", owner, {"racks.gpu.buyable": False})
    yield Planted("GPU racks too late", owner, {"racks.gpu.buy_from": "2030-06"})
    yield Planted("GPU racks no more", owner, {"racks.gpu.buy_until": "2028-06"})
    yield Planted("racks too dense", owner, {"fitouts.ai.kw_per_rack_max": 90.0})
    yield Planted("few positions", owner, {"halls.h.rack_positions": 1.0})
    tight = round(5.0 + 0.4 * racks - 0.05, 2)
    yield Planted("part of a rack", owner, {"finance.capex_budget_musd": tight})


def _pairs(chance: random.Random, mw: float) -> Iterator[Planted]:
    """Two limits of one company, each of which could be kept without the other."""
    lent = merged(signed(mw), {"finance": {**LENT, "opening_cash_musd": 40.0}})
    yield Planted("cash and loan", lent, {
        "finance.opening_cash_musd": round(chance.uniform(0.5, 2.0), 1),
        "finance.loan.limit_musd": round(chance.uniform(0.2, 2.5), 1)})  # fmt: skip
    yield Planted("cash to keep and loan", lent, {
        "finance.minimum_cash_musd": round(chance.uniform(37.5, 39.5), 1),
        "finance.loan.limit_musd": round(chance.uniform(0.2, 1.5), 1)})  # fmt: skip
    grid = merged(signed(mw, start="2031-01"), {"projects": {"line": LINE}})
    yield Planted("grid and line", grid, {
        "sites.a.firm_mw": 0.2, "projects.line.latest": "2028-06"})  # fmt: skip
    yield Planted("grid and early line", grid, {
        "sites.a.firm_mw": 0.2, "projects.line.earliest": "2030-06"})  # fmt: skip
    better = merged(signed(mw), {"uptime": {"packages": {"n2": {
        "availability": 0.9999, "capex_usd_per_kw": 800.0}}}})  # fmt: skip
    yield Planted("both packages", better, {
        "uptime.packages.n1.availability": 0.99,
        "uptime.packages.n2.availability": 0.995})  # fmt: skip
    owed_now = budgeted(owed(signed(mw), 3.0))
    yield Planted("owed and works", owed_now, {
        "finance.capex_budget_musd": round(chance.uniform(10.0, 10.9), 1),
        "commitments.racks.0.due_musd": round(chance.uniform(6.0, 9.5), 1)})  # fmt: skip
    two_halls = budgeted(signed(1.0))
    yield Planted("money for more MW", two_halls, {
        "finance.capex_budget_musd": round(chance.uniform(7.8, 9.5), 1),
        "commitments.contracts.0.mw": round(chance.uniform(2.2, 2.8), 1)})  # fmt: skip


@cache
def planted(wanted: int = 160, seed: int = 7) -> tuple[Planted, ...]:
    """Conflicts of all families and widths, each proved to be one."""
    third = wanted // 3
    rounds = (one_company(random.Random(f"{seed} {i}")) for i in itertools.count())
    company = itertools.chain.from_iterable(rounds)
    found = list(itertools.islice(filter(is_sound, company), wanted - third - third // 5))
    for width, number in ((1, third // 5), (2, third // 2), (3, third - third // 2)):
        found += itertools.islice(filter(is_sound, by_sites(width, 4 * number, seed)), number)
    return tuple(replace(one, whole_only=has_divided_plan(one.typed)) for one in found)
