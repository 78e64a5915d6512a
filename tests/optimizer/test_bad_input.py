"""Planted mistakes: each is told once, at its place, in words that lead to the mend."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from optimizer.errors import InputRefused, Problem, as_json, plain, rich, summary
from optimizer.load import examine, load
from tests.folders import INSTANCE, edited, line_of, write_folder

#: Stands for a place that has no line.
NOWHERE = "nowhere"


@dataclass(frozen=True)
class Mistake:
    """One change to the valid folder, and what must be said about it.

    ``at`` is a piece of the changed text on the line that is named; the first line of ``new``
    where it is left out.
    """

    old: str
    new: str
    key: str
    says: str
    at: str = ""
    hint: str = ""

    @property
    def text(self) -> str:
        return edited(self.old, self.new)

    @property
    def line(self) -> int | None:
        return (
            None if self.at == NOWHERE else line_of(self.at or self.new.splitlines()[0], self.text)
        )


def only_error(folder: Path) -> Problem:
    """Load a folder that has exactly one error, and give it."""
    before = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    with pytest.raises(InputRefused) as refused:
        load(folder)
    errors = [p for p in refused.value.problems if p.severity == "error"]
    assert len(errors) == 1, plain(errors)
    assert refused.value.exit_code == 3
    assert not folder.is_dir() or {path.name for path in folder.iterdir()} == before
    return errors[0]


NEW_CONTRACT = '[[commitments.contracts]]\ncontract = "lease"\nmw = 3\n\n[policy]'
NEW_WORKS = '[[commitments.works]]\nhall = "old"\nhalls = 1\nfitout = "ai"\nready = "2027-09"\n'
NEW_ORDER = (
    '[[commitments.racks]]\nhall = "old"\nrack = "s21-lot"\nracks = 2\ndelivery = "2027-09"\n'
)

TYPED: dict[str, Mistake] = {
    # unknown, repeated and missing keys
    "unknown key": Mistake("it_mw = 5", "it_mww = 5", "halls.old.it_mww", "unknown key",
        hint="did you mean `it_mw`?"),
    "unknown key with another unit": Mistake("kw = 132", "mw = 0.132", "racks.gpu.mw",
        "unknown key"),
    "unknown table": Mistake("[policy]", "[polices]", "polices", "unknown key",
        hint="did you mean `policy`?"),
    "unknown table of names": Mistake("[uptime.packages.n", "[uptime.pakages.n", "uptime.pakages",
        "unknown key", hint="did you mean `packages`?"),
    "key of another block": Mistake("count = 4", "count = 4\npue = 1.05", "halls.old.pue",
        "unknown key", at="pue = 1.05\nit", hint="is a key of fitouts"),
    "key in no block": Mistake('name = "small"', 'name = "small"\ncolour = 1', "instance.colour",
        "unknown key", at="colour"),
    "unknown key in a growth": Mistake("growth_per_month = -", "growth_per_mont = -",
        "bitcoin.hashprice_usd_per_ph_day.growth_per_mont", "unknown key", at="hashprice"),
    "unknown key in a step": Mistake('from = "2028-06"', 'form = "2028-06"',
        "racks.gpu.resale_usd.1.form", "unknown key", at="resale_usd = ["),
    "use without a catalogue": Mistake('site = "north"\ncount',
        'use = "hall"\nsite = "north"\ncount', "halls.old.use", "unknown key",
        hint="have a catalogue"),
    "key given twice": Mistake("count = 4", "count = 4\ncount = 5", "halls.old.count",
        "given twice", at="count = 5", hint="first given at line"),
    "table given twice": Mistake("[halls.old]", '[halls.old]\nsite = "north"\n[halls.old]',
        "halls.old", "given twice", at='[halls.old]\nsite = "north"\ncount'),
    "missing key": Mistake("th_per_s = 200\n", "", "machines.s21.th_per_s", "is missing",
        at="[machines.s21]", hint="hash rate"),
    "missing block":
        Mistake("[bitcoin]\nhashprice_usd_per_ph_day = { start = 45, growth_per_month = -0.005 }",
        "", "bitcoin", "the block bitcoin is missing", at=NOWHERE),
    "missing key of a growth": Mistake(", growth_per_month = -0.005", "",
        "bitcoin.hashprice_usd_per_ph_day.growth_per_month", "is missing", at="hashprice"),
    "missing name": Mistake('name = "small"', "", "instance.name", "is missing", at="[instance]"),
    "missing start of a contract": Mistake('start = "2028-07"\n', "", "contracts.lease.start",
        "is missing", at="[contracts.lease]"),
    # wrong types
    "text for a number": Mistake("it_mw = 5", 'it_mw = "5"', "halls.old.it_mw", "wrong type",
        hint="without quotes"),
    "flag for a number": Mistake("it_mw = 5", "it_mw = true", "halls.old.it_mw", "wrong type"),
    "list for a number": Mistake("it_mw = 5", "it_mw = [5]", "halls.old.it_mw", "wrong type",
        hint="does not change over time"),
    "table for a number": Mistake("it_mw = 5", "it_mw = { start = 5, growth_per_month = 0 }",
        "halls.old.it_mw", "wrong type", hint="does not change"),
    "fraction for a count": Mistake("periods = 8", "periods = 8.5", "horizon.periods",
        "wrong type"),
    "float for a count": Mistake("periods = 8", "periods = 8.0", "horizon.periods", "wrong type",
        hint="write 8"),
    "number for a name": Mistake('site = "north"\ncount', "site = 5\ncount", "halls.old.site",
        "wrong type"),
    "number for a flag": Mistake("power_passed_through = true", "power_passed_through = 1",
        "contracts.lease.power_passed_through", "wrong type"),
    "text for a flag": Mistake("power_passed_through = true", 'power_passed_through = "yes"',
        "contracts.lease.power_passed_through", "wrong type", hint="true or false"),
    "text for a list": Mistake('sites = ["north"]', 'sites = "north"', "contracts.lease.sites",
        "wrong type", hint='write ["north"]'),
    "date for a month": Mistake('start = "2027-01"', "start = 2027-01-01", "horizon.start",
        "wrong type", hint='write "2027-01"'),
    "number for a month": Mistake('start = "2027-01"', "start = 2027", "horizon.start",
        "wrong type"),
    "number for a block": Mistake('[instance]\nname = "small"',
        'policy_ = 3\n[instance]\nname = "small"', "policy_", "unknown key"),
    "list for a table": Mistake("[sites.north]", "[[sites.north]]", "sites.north", "wrong type"),
    "table for a list": Mistake("[[fleet]]", "[fleet]", "fleet", "wrong type"),
    "text for a path": Mistake("resale_usd_per_th = 5", 'resale_usd_per_th = "5"',
        "machines.s21.resale_usd_per_th", "no such column"),
    "flag for a path": Mistake("resale_usd_per_th = 5", "resale_usd_per_th = true",
        "machines.s21.resale_usd_per_th", "wrong type"),
    "growth where there are steps": Mistake("firm_mw = 12\n",
        "firm_mw = { start = 12, growth_per_month = 0.01 }\n", "sites.north.firm_mw",
        "wrong type"),
    "list of numbers for a path": Mistake("resale_usd_per_th = 5", "resale_usd_per_th = [5]",
        "machines.s21.resale_usd_per_th.0", "wrong type"),
    "text in a growth": Mistake("{ start = 45,", '{ start = "45",',
        "bitcoin.hashprice_usd_per_ph_day.start", "wrong type", at="hashprice"),
    "text in a step": Mistake("value = 1e6", 'value = "1e6"', "racks.gpu.resale_usd.1.value",
        "wrong type", at="resale_usd = ["),
    "unknown word": Mistake('cooling = "air"\nlife', 'cooling = "wind"\nlife',
        "machines.s21.cooling", "none of the words"),
    "misspelt word": Mistake('workload = "ai"\ncooling = "liquid"\ngpus',
        'workload = "ai"\ncooling = "liqiud"\ngpus', "racks.gpu.cooling", "none of the words",
        at='cooling = "liqiud"', hint="did you mean `liquid`?"),
    "another currency": Mistake("firm_mw = 12", 'currency = "CAD"\nfirm_mw = 12',
        "sites.north.currency", "none of the words"),
    "name with a space": Mistake("[sites.north]",
        '[sites."north west"]\nfirm_mw = 10\n[sites.north]', "sites.north west",
        "cannot be a name"),
    "empty name of a hall": Mistake("[[fleet]]",
        '[halls.""]\nsite = "north"\ncount = 1\nit_mw = 5\n[[fleet]]', "halls.",
        "cannot be a name"),
    # numbers that are none
    "nan": Mistake("it_mw = 5", "it_mw = nan", "halls.old.it_mw", "not a finite number"),
    "infinity": Mistake("it_mw = 5", "it_mw = inf", "halls.old.it_mw", "not a finite number"),
    "minus infinity": Mistake("opening_cash_musd = 20", "opening_cash_musd = -inf",
        "finance.opening_cash_musd", "not a finite number"),
    "nan in a growth": Mistake("{ start = 45,", "{ start = nan,",
        "bitcoin.hashprice_usd_per_ph_day.start", "not a finite number", at="hashprice"),
    "nan in a step": Mistake("value = 1e6", "value = nan", "racks.gpu.resale_usd.1.value",
        "not a finite number", at="resale_usd = ["),
    "beyond any float": Mistake("it_mw = 5", f"it_mw = 1{'0' * 400}", "halls.old.it_mw", ""),
    "1e308": Mistake("it_mw = 5", "it_mw = 1e308", "halls.old.it_mw", "far from real figures"),
    # TOML that is none
    "decimal comma": Mistake("it_mw = 5", "it_mw = 5,5", "", "not TOML", hint="decimal point"),
    "month without quotes": Mistake('start = "2027-01"', "start = 2027-01", "", "not TOML",
        hint='as "2027-04"'),
    "True": Mistake("power_passed_through = true", "power_passed_through = True", "", "not TOML",
        hint="true or false"),
    "percent sign": Mistake("mining_share_min = 0.1", "mining_share_min = 10 %", "", "not TOML",
        hint="as a fraction"),
    "unit after a number": Mistake("it_mw = 5", "it_mw = 5 MW", "", "not TOML", hint="in the key"),
    "full width digit": Mistake("it_mw = 5", "it_mw = ５", "", "not TOML", hint="digits 0 to 9"),
    "text without quotes": Mistake('power = "grid"', "power = grid", "", "not TOML",
        hint="in quotes"),
    "no value": Mistake("it_mw = 5", "it_mw =", "", "not TOML", hint="must follow"),
    "colon": Mistake("it_mw = 5", "it_mw: 5", "", "not TOML", hint="key = value"),
    "open bracket": Mistake("[halls.old]", "[halls.old", "", "not TOML", hint="closed by ]"),
    "open quote": Mistake('power = "grid"', 'power = "grid', "", "not TOML"),
    "deep brackets": Mistake("it_mw = 5", "it_mw = " + "[" * 5000, "", "nested", at="it_mw = ["),
    "ten thousand digits": Mistake("it_mw = 5", "it_mw = " + "9" * 10_000, "", "too many digits"),
    # ranges
    "negative count": Mistake("count = 4", "count = -4", "halls.old.count", "outside its range"),
    "no periods": Mistake("periods = 8", "periods = 0", "horizon.periods", "outside its range"),
    "too many periods": Mistake("periods = 8", "periods = 100000", "horizon.periods",
        "outside its range"),
    "five months a period": Mistake("months_per_period = 3", "months_per_period = 5", "horizon",
        "1, 2, 3, 4, 6 or 12", at="[horizon]"),
    "negative price": Mistake("price_usd_per_th = 14", "price_usd_per_th = -14",
        "machines.s21.price_usd_per_th", "outside its range"),
    "negative MW": Mistake("firm_mw = 12", "firm_mw = -12", "sites.north.firm_mw",
        "far from real figures"),
    "negative resale": Mistake("resale_usd = [{ from", "resale_usd = -5 #", "racks.gpu.resale_usd",
        "far from real figures", at="resale_usd = -5"),
    "share above one": Mistake("mining_share_min = 0.1", "mining_share_min = 10",
        "policy.mining_share_min", "outside its range", hint="percent"),
    "availability in percent": Mistake("availability = 0.9995", "availability = 99.95",
        "uptime.packages.n-plus-1.availability", "outside its range",
        hint="in percent it would be 0.9995"),
    "pue below one": Mistake("pue = 1.05", "pue = 0.95", "fitouts.mine.pue", "outside its range"),
    "no MW": Mistake("it_mw = 5", "it_mw = 0", "halls.old.it_mw", "outside its range"),
    "month thirteen": Mistake('start = "2027-01"', 'start = "2027-13"', "horizon.start",
        "YYYY-MM"),
    "full width month": Mistake('start = "2027-01"', 'start = "２０２７-01"', "horizon.start",
        "YYYY-MM"),
    "American month": Mistake('start = "2027-01"', 'start = "01/2027"', "horizon.start",
        "YYYY-MM"),
    "year before bitcoin": Mistake('start = "2027-01"', 'start = "0027-01"', "horizon.start",
        "2009 and 2140"),
    "steps that fall": Mistake('from = "2028-06"', 'from = "2026-06"', "racks.gpu.resale_usd",
        "rising months", at="resale_usd = ["),
    "steps without any": Mistake("resale_usd_per_th = 5", "resale_usd_per_th = []",
        "machines.s21.resale_usd_per_th", "at least one"),
    # blocks that contradict themselves
    "watt and J/TH": Mistake("j_per_th = 17.5", "j_per_th = 17.5\nwatt = 3500", "machines.s21",
        "exactly one of", at="[machines.s21]"),
    "neither watt nor J/TH": Mistake("j_per_th = 17.5\n", "", "machines.s21", "exactly one of",
        at="[machines.s21]"),
    "two hashprices": Mistake("[bitcoin]",
        "[bitcoin]\nbtc_price_usd = 90000\nnetwork_eh_per_s = 900", "bitcoin", "exactly one of",
        at="[bitcoin]"),
    "machine and GPUs": Mistake("machines_per_rack = 280",
        "machines_per_rack = 280\ngpus_per_rack = 8", "racks.s21-lot", "exactly one of",
        at="[racks.s21-lot]"),
    "GPU rack without draw": Mistake("kw = 132\n", "", "racks.gpu", "needs kw", at="[racks.gpu]"),
    "machine without number": Mistake("machines_per_rack = 280\n", "", "racks.s21-lot",
        "go together", at="[racks.s21-lot]"),
    "ASICs for AI": Mistake('workload = "mining"\nmachine', 'workload = "ai"\nmachine',
        "racks.s21-lot", "workload mining", at="[racks.s21-lot]"),
    "ASICs rebuilt": Mistake("machines_per_rack = 280",
        'machines_per_rack = 280\nconverts_to = { rack = "gpu", cost_usd = 1 }', "racks.s21-lot",
        "only GPU racks", at="[racks.s21-lot]"),
    "racks rebuilt in a circle": Mistake("[racks.gpu]",
        "[racks.next]\nworkload = \"ai\"\ncooling = \"liquid\"\ngpus_per_rack = 72\nkw = 132\n"
        'price_usd = 3_000_000\nlife_months = 60\nconverts_to = { rack = "gpu", cost_usd = 1 }\n'
        '[racks.gpu]\nconverts_to = { rack = "next", cost_usd = 1 }',
        "racks.next.converts_to.rack", "rebuilt in a circle", at='converts_to = { rack = "gpu"',
        hint="take one converts_to"),
    "racks rebuilt into themselves": Mistake("[racks.gpu]",
        '[racks.gpu]\nconverts_to = { rack = "gpu", cost_usd = 1 }',
        "racks.gpu.converts_to.rack", "rebuilt in a circle", at="converts_to"),
    "peak below mean": Mistake("pue_peak = 1.4", "pue_peak = 1.1", "fitouts.ai", "pue_peak",
        at="[fitouts.ai]"),
    "project that adds nothing": Mistake("adds_firm_mw = 10\n", "", "projects.line", "must add",
        at="[projects.line]"),
    "least above most": Mistake("min_mw = 2", "min_mw = 20", "contracts.lease",
        "min_mw lies above", at="[contracts.lease]"),
    "tenant with racks": Mistake('racks_by = "tenant"', 'racks_by = "tenant"\nracks = ["gpu"]',
        "contracts.lease", "must not name any", at="[contracts.lease]"),
    "owner without racks": Mistake('racks_by = "tenant"', 'racks_by = "owner"', "contracts.lease",
        "need `racks`", at="[contracts.lease]"),
    "two rates": Mistake("rate_usd_per_kw_month = 140",
        "rate_usd_per_kw_month = 140\nrate_usd_per_gpu_hour = 2", "contracts.lease",
        "exactly one of", at="[contracts.lease]"),
    "signed after the start": Mistake('sign_by = "2027-04"', 'sign_by = "2029-04"',
        "contracts.lease", "sign_by lies after start", at="[contracts.lease]"),
    "delivered before the start": Mistake('start = "2028-07"',
        'start = "2028-07"\nlatest_delivery = "2028-01"', "contracts.lease",
        "latest_delivery lies before", at="[contracts.lease]"),
    "ramp that falls back": Mistake('start = "2028-07"', 'start = "2028-07"\nramp = ['
        "{ after_months = 6, share = 1 }, { after_months = 0, share = 0.5 }]", "contracts.lease",
        "rising months", at="[contracts.lease]"),
    "credits that fall": Mistake('start = "2028-07"', 'start = "2028-07"\ncredits = ['
        "{ below = 0.99, share = 0.1 }, { below = 0.9, share = 0.1 }]", "contracts.lease.credits",
        "the larger its share", at="credits"),
    "credits twice": Mistake('start = "2028-07"', 'start = "2028-07"\ncredits = ['
        "{ below = 0.99, share = 0.1 }, { below = 0.99, share = 0.2 }]",
        "contracts.lease.credits", "may stand once", at="credits"),
    "credit in percent": Mistake('start = "2028-07"', 'start = "2028-07"\ncredits = ['
        "{ below = 0.99, share = 10 }]", "contracts.lease.credits.0.share",
        "outside its range", at="credits"),
    "credit above the promise": Mistake('start = "2028-07"', 'start = "2028-07"\ncredits = ['
        "{ below = 0.99999, share = 0.1 }]", "contracts.lease",
        "only below the availability promised", at="[contracts.lease]"),
    "credit without share": Mistake('start = "2028-07"', 'start = "2028-07"\ncredits = ['
        "{ below = 0.99 }]", "contracts.lease.credits.0.share", "is missing", at="credits"),
    "flat and hourly": Mistake("flat_usd_per_mwh = 40", 'flat_usd_per_mwh = 40\nprices = "a.csv"',
        "power.grid", "exactly one of", at="[power.grid]"),
    "no price": Mistake("flat_usd_per_mwh = 40\n", "", "power.grid", "exactly one of",
        at="[power.grid]"),
    # planned keys
    "tax": Mistake("opening_cash_musd = 20", "opening_cash_musd = 20\ntax = 0.21", "finance.tax",
        "not built yet", at="tax = "),
    "a cap": Mistake("flat_usd_per_mwh = 40", "flat_usd_per_mwh = 40\nenergy_cap_mwh_per_year = 0",
        "power.grid.energy_cap_mwh_per_year", "outside its range", at="energy_cap"),
    "a scenario tree": Mistake("[policy]", "[scenarios.high]\nprobability = 0.5\n[policy]",
        "scenarios", "not built yet"),
    "CVaR": Mistake("mining_share_min = 0.1", "cvar = { weight = 0.3 }", "policy.cvar",
        "not built yet"),
    # names
    "unknown site": Mistake('site = "north"\ncount', 'site = "nort"\ncount', "halls.old.site",
        "there is no 'nort' in sites", hint="did you mean `north`?"),
    "unknown machine": Mistake('machine = "s21"', 'machine = "s22"', "racks.s21-lot.machine",
        "there is no 's22' in machines", hint="did you mean `s21`?"),
    "unknown fit-out": Mistake('fitout = "mine"', 'fitout = "mime"', "halls.old.fitout",
        "there is no 'mime' in fitouts", hint="did you mean `mine`?"),
    "unknown fit-out allowed": Mistake('fitout = "mine"',
        'fitout = "mine"\nfitouts = ["mine", "aii"]', "halls.old.fitouts.1",
        "there is no 'aii' in fitouts", at="fitouts = ["),
    "unknown hall of the fleet": Mistake('hall = "old"', 'hall = "new"', "fleet.0.hall",
        "there is no 'new' in halls"),
    "unknown rack of the fleet": Mistake('rack = "s21-lot"', 'rack = "s21-lt"', "fleet.0.rack",
        "there is no 's21-lt' in racks", hint="did you mean `s21-lot`?"),
    "unknown supply": Mistake('power = "grid"', 'power = "gird"', "sites.north.power",
        "there is no 'gird' in power", hint="did you mean `grid`?"),
    "no supply": Mistake('power = "grid"\n', "", "sites.north.power", "has no power supply",
        at="[sites.north]", hint="add [power.north]"),
    "unknown site of a contract": Mistake('sites = ["north"]', 'sites = ["south"]',
        "contracts.lease.sites.0", "there is no 'south' in sites"),
    "unknown site of a project": Mistake('site = "north"\nadds', 'site = "south"\nadds',
        "projects.line.site", "there is no 'south' in sites"),
    "unknown site of a budget": Mistake("north = 60", "south = 60",
        "finance.capex_budget_by_site_musd.south", "there is no 'south' in sites"),
    "unknown site kept": Mistake("[policy]", '[policy]\nkeep_sites = ["south"]',
        "policy.keep_sites.0", "there is no 'south' in sites", at="keep_sites"),
    "unknown contract signed": Mistake("[policy]", NEW_CONTRACT.replace("lease", "lend"),
        "commitments.contracts.0.contract", "there is no 'lend' in contracts",
        at='contract = "lend"'),
    "unknown rack of GPU-hours": Mistake("[policy]",
        "[gpu_cloud.gpus]\nprice_usd_per_gpu_hour = 2\nutilisation_share = 0.7\n[policy]",
        "gpu_cloud.gpus", "there is no 'gpus' in racks"),
    "GPU-hours of a mining rack": Mistake("[policy]",
        "[gpu_cloud.s21-lot]\nprice_usd_per_gpu_hour = 2\nutilisation_share = 0.7\n[policy]",
        "gpu_cloud.s21-lot", "only racks of GPUs"),
    "unknown entry of the catalogue": Mistake("th_per_s = 200\n", 'use = "antminer-s211"\n',
        "machines.s21.use", "no such entry in the catalogue"),
    # what stands where it cannot
    "too many racks": Mistake("racks = 14", "racks = 22", "fleet.0.racks", "take more MW than"),
    "too few positions": Mistake("rack_positions = 8", "rack_positions = 3", "fleet.0.racks",
        "take more positions than", at="racks = 14"),
    "racks that no hall holds whole": Mistake("it_mw = 5", "it_mw = 3.8", "fleet.0.racks",
        "cannot be split into whole halls", at="racks = 14"),
    "GPUs in a mine": Mistake('rack = "s21-lot"', 'rack = "gpu"', "fleet.0.rack",
        "for other work"),
    "hydro in an air hall": Mistake('machine = "s21"', 'machine = "s21"\ncooling = "hydro"',
        "fleet.0.rack", "does not cool", at='rack = "s21-lot"'),
    "racks in a shell": Mistake('fitout = "mine"\n', "", "fleet.0.hall", "bare shell",
        at='hall = "old"'),
    "package in a mine": Mistake('fitout = "mine"', 'fitout = "mine"\npackage = "n-plus-1"',
        "halls.old.package", "no uptime package", at="package = "),
    "area without floor": Mistake("it_share_of_present = 1.0", "m2_per_mw = 100",
        "halls.old.fitout", "sized by floor area", at='fitout = "mine"'),
    "unknown package of works": Mistake("[[commitments.debt]]",
        NEW_WORKS + 'package = "3n"\n[[commitments.debt]]', "commitments.works.0.package",
        "there is no '3n'", at='package = "3n"'),
    "racks where halls are under works": Mistake("[[commitments.debt]]",
        NEW_WORKS.replace("halls = 1", "halls = 2") + "[[commitments.debt]]", "fleet.0.racks",
        "take more MW than", at="racks = 14"),
    "an order that fits nowhere": Mistake('fitout = "mine"\n\n',
        'fitout = "mine"\nfitouts = ["mine"]\n' + NEW_ORDER.replace("s21-lot", "gpu"),
        "commitments.racks.0.rack", "can hold this rack", at='rack = "gpu"'),
    # dates
    "delivery before the start": Mistake("[[commitments.debt]]",
        NEW_ORDER.replace("2027-09", "2026-09") + "[[commitments.debt]]",
        "commitments.racks.0.delivery", "before the horizon", at='delivery = "2026-09"'),
    "works ready before the start": Mistake("racks = 14\nage_months = 12\n",
        "racks = 9\n" + NEW_WORKS.replace("2027-09", "2026-09"), "commitments.works.0.ready",
        "before the horizon", at='ready = "2026-09"'),
    "debt paid before the start": Mistake('month = "2027-06"', 'month = "2026-06"',
        "commitments.debt.0.month", "before the horizon"),
    "budget that ends before it starts": Mistake("capex_budget_musd = 60",
        'capex_budget_by_period = [{ from = "2027-06", to = "2027-01", musd = 5 }]',
        "finance.capex_budget_by_period.0", "ends before it starts"),
    "project window reversed": Mistake("months = 12\nlife_months = 360",
        'months = 12\nlife_months = 360\nearliest = "2028-01"\nlatest = "2027-01"',
        "projects.line.latest", "lies before earliest", at="latest = "),
    "purchase window reversed": Mistake("gpus_per_rack = 72",
        'gpus_per_rack = 72\nbuy_from = "2028-01"\nbuy_until = "2027-07"', "racks.gpu.buy_until",
        "lies before buy_from", at="buy_until"),
    "MW that begin later": Mistake("firm_mw = 12", 'firm_mw = [{ from = "2028-01", value = 12 }]',
        "sites.north.firm_mw", "before the first step", hint="2027-01"),
    # limits that contradict each other
    "share least above most": Mistake("mining_share_min = 0.1",
        "mining_share_min = 0.5\nmining_share_max = 0.4", "policy.mining_share_min",
        "lies above mining_share_max"),
    "shares above one": Mistake("mining_share_min = 0.1",
        "mining_share_min = 0.6\nai_share_min = 0.6", "policy.ai_share_min", "more than one",
        at="ai_share_min"),
    "shares below one": Mistake("mining_share_min = 0.1",
        "mining_share_max = 0.3\nai_share_max = 0.3", "policy.ai_share_max", "less than one",
        at="ai_share_max"),
    "no site for a contract": Mistake('sites = ["north"]', "sites = []", "contracts.lease.sites",
        "no site may serve"),
    "signed above the most": Mistake("[policy]", NEW_CONTRACT.replace("mw = 3", "mw = 30"),
        "commitments.contracts.0.mw", "lie outside the contract's", at="mw = 30"),
    "signed twice": Mistake("[policy]", NEW_CONTRACT.replace("[policy]", "") + NEW_CONTRACT,
        "commitments.contracts.1.contract", "signed twice",
        at='contract = "lease"\nmw = 3\n\n[policy]'),
    "unusual key that is not there": Mistake('name = "small"',
        'name = "small"\naccept_unusual = ["halls.old.it_wm"]', "instance.accept_unusual.0",
        "not there", at="accept_unusual", hint="halls.old.it_mw"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", TYPED.values(), ids=TYPED.keys())
def test_mistake_typed_in_toml(mistake: Mistake, tmp_path: Path) -> None:
    problem = only_error(write_folder(tmp_path, mistake.text))
    assert problem.file == "instance.toml"
    assert problem.key == mistake.key
    assert mistake.says in problem.message
    assert mistake.hint in problem.hint
    assert problem.line == mistake.line


# --- tables --------------------------------------------------------------------------------

NO_HALLS = edited(
    '[halls.old]\nsite = "north"\ncount = 4\nit_mw = 5\nrack_positions = 8\nfitout = "mine"\n', ""
)
HALLS = "name,site,count,it_mw,fitout\nold,north,4,5,mine\n"
NO_FLEET = edited('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', "")
FLEET = "hall,rack,racks,age_months\nold,s21-lot,14,12\n"


@dataclass(frozen=True)
class BadTable:
    """CSV files beside an ``instance.toml``, and what must be said about one of them."""

    toml: str
    files: dict[str, str | bytes]
    file: str
    line: int | None
    key: str
    says: str
    hint: str = ""


def halls(text: str, line: int | None, key: str, says: str, hint: str = "") -> BadTable:
    return BadTable(NO_HALLS, {"halls_csv": text}, "halls.csv", line, key, says, hint)


def fleet(text: str, line: int | None, key: str, says: str, hint: str = "") -> BadTable:
    return BadTable(NO_FLEET, {"fleet_csv": text}, "fleet.csv", line, key, says, hint)


PATHS = edited("{ start = 45, growth_per_month = -0.005 }", '"hash"')


def paths(text: str, line: int | None, key: str, says: str, hint: str = "") -> BadTable:
    return BadTable(PATHS, {"paths_csv": text}, "paths.csv", line, key, says, hint)


def sources(text: str, says: str) -> BadTable:
    return BadTable(INSTANCE, {"sources_csv": text}, "sources.csv", 1, "", says)


TABLES: dict[str, BadTable] = {
    "unknown column": halls(HALLS.replace("it_mw", "it_mww"), 1, "halls.it_mww", "unknown column",
        "did you mean `it_mw`?"),
    "repeated column": halls("name,site,count,count,it_mw,fitout\nold,north,4,4,5,mine\n", 1,
        "count", "given twice"),
    "misspelt column of names": halls(HALLS.replace("name", "names"), 1, "halls.names",
        "unknown column", "did you mean `name`?"),
    "column without a name": halls("name,site,count,,it_mw,fitout\nold,north,4,4,5,mine\n", 1, "",
        "column 4 has no name"),
    "no column for the name": halls("site,count,it_mw,fitout\nnorth,4,5,mine\n", 1, "halls",
        "no column `name`"),
    "short row": halls(HALLS + "new,north,4\n", 3, "", "as many cells as the header"),
    "long row": halls(HALLS + "new,north,4,5,mine,6\n", 3, "", "as many cells as the header"),
    "decimal comma splits a cell": halls(HALLS + "new,north,4,2,5,mine\n", 3, "",
        "as many cells as the header", "point"),
    "decimal comma in quotes": halls(HALLS.replace(",5,", ',"5,5",'), 2, "halls.old.it_mw",
        "cannot be read", "decimal point"),
    "thousands comma": halls(HALLS.replace(",5,", ',"5,000",'), 2, "halls.old.it_mw",
        "cannot be read", "without a comma"),
    "underscore": halls(HALLS.replace(",5,", ",5_0,"), 2, "halls.old.it_mw", "cannot be read",
        "without an underscore"),
    "wide digits": halls(HALLS.replace(",5,", ",５,"), 2, "halls.old.it_mw", "cannot be read",
        "digits 0 to 9"),
    "Arabic digits": halls(HALLS.replace(",4,", ",٤,"), 2, "halls.old.count", "cannot be read",
        "digits 0 to 9"),
    "nan in a cell": halls(HALLS.replace(",5,", ",NaN,"), 2, "halls.old.it_mw", "cannot be read",
        "leave the cell empty"),
    "infinity in a cell": halls(HALLS.replace(",5,", ",inf,"), 2, "halls.old.it_mw",
        "cannot be read"),
    "1e999": halls(HALLS.replace(",5,", ",1e999,"), 2, "halls.old.it_mw", "cannot be read"),
    "n/a": halls(HALLS.replace(",5,", ",n/a,"), 2, "halls.old.it_mw", "cannot be read",
        "leave the cell empty"),
    "unit in a cell": halls(HALLS.replace(",5,", ",5 MW,"), 2, "halls.old.it_mw", "cannot be read",
        "unit stands in the key"),
    "fraction of a hall": halls(HALLS.replace(",4,", ",4.5,"), 2, "halls.old.count",
        "cannot be read"),
    "True in a cell": halls("name,site,count,it_mw,fitout,convertible\nold,north,4,5,mine,TRUE\n",
        2, "halls.old.convertible", "cannot be read"),
    "missing cell": halls(HALLS.replace(",5,", ",,"), 2, "halls.old.it_mw", "is missing"),
    "negative cell":
        halls(HALLS.replace(",4,", ",-4,"), 2, "halls.old.count", "outside its range"),
    "unknown site in a cell": halls(HALLS.replace("north", "nort"), 2, "halls.old.site",
        "no 'nort' in sites", "did you mean `north`?"),
    "row without a name": halls(HALLS + ",north,4,5,mine\n", 3, "halls", "has no name"),
    "name given twice": halls(HALLS + HALLS.splitlines()[1], 3, "halls.old", "given twice",
        "halls.csv:2"),
    "name with a slash": halls(HALLS + "a/b,north,1,5,mine\n", 3, "halls.a/b", "cannot be a name"),
    "semicolons": halls(HALLS.replace(",", ";"), 1, "", "separated by semicolons"),
    "open quote": halls(HALLS + '"new,north\n', 3, "", "not CSV"),
    "kW in a cell": halls(HALLS.replace(",5,", ",5000,"), 2, "halls.old.it_mw",
        "far from real figures", "in kW it would be 5 MW"),
    "name in both": BadTable(INSTANCE, {"halls_csv": HALLS}, "halls.csv", 2, "halls.old",
        "given twice", f"instance.toml:{line_of('[halls.old]')}"),
    "empty table": halls("", None, "", "is empty"),
    "no halls at all": halls("name,site,count,it_mw\n", 1, "halls", "block halls is missing"),
    "UTF-16": BadTable(NO_HALLS, {"halls_csv": HALLS.encode("utf-16")}, "halls.csv", None, "",
        "not UTF-8", "not as UTF-16"),
    "Latin-1": BadTable(NO_HALLS, {"halls_csv": HALLS.encode() + b"caf\xe9,north,1,5,mine\n"},
        "halls.csv", 3, "", "not UTF-8"),
    "list given as text": BadTable(edited("[contracts.lease]\n", "[contracts.other]\n"),
        {"contracts_csv": "name,racks_by,racks,min_mw,max_mw,sign_by,start,months,availability,"
        "rate_usd_per_kw_month\nlease,owner,gpu;gqu,1,2,2027-04,2028-01,60,0.99,150\n"},
        "contracts.csv", 2, "contracts.lease.racks.1", "no 'gqu' in racks", "did you mean `gpu`?"),
    "ramp in a cell": BadTable(edited("[contracts.lease]\n", "[contracts.other]\n"),
        {"contracts_csv": "name,racks_by,ramp,min_mw,max_mw,sign_by,start,months,availability,"
        "rate_usd_per_kw_month\nlease,tenant,6,1,2,2027-04,2028-01,60,0.99,150\n"},
        "contracts.csv", 2, "contracts.lease.ramp", "cannot be read"),
    "number and growth": BadTable(INSTANCE,
        {"machines_csv": "name,use,resale_usd_per_th,resale_usd_per_th.start\n"
        "new,antminer-s21,5,5\n"}, "machines.csv", 2, "machines.new.resale_usd_per_th.start",
        "cannot be read"),
    "entry that the catalogue lacks": BadTable(INSTANCE,
        {"machines_csv": "name,use\nnew,antminer-s2l\n"}, "machines.csv", 2, "machines.new.use",
        "no such entry", "did you mean `antminer-s21`?"),
    "fleet in both": BadTable(INSTANCE, {"fleet_csv": FLEET}, "instance.toml",
        line_of("[[fleet]]"), "fleet", "given in fleet.csv too"),
    "fleet with a name": fleet(FLEET.replace("hall,", "name,hall,").replace("old,", "a,old,"), 1,
        "fleet.name", "unknown column"),
    "rack not known":
        fleet(FLEET.replace("s21-lot", "s21"), 2, "fleet.0.rack", "no 's21' in racks"),
    "no racks": fleet(FLEET.replace(",14,", ",0,"), 2, "fleet.0.racks", "outside its range"),
    "table under a wrong name": BadTable(INSTANCE, {"hall_csv": HALLS}, "hall.csv", None, "",
        "nothing reads this file", "did you mean `halls.csv`?"),
    # paths.csv
    "path without a column": BadTable(PATHS, {"paths_csv": "month,hashh\n2027-01,45\n"},
        "instance.toml", line_of("hashprice", PATHS), "bitcoin.hashprice_usd_per_ph_day",
        "no such column", "did you mean `hashh`?"),
    "paths without months": BadTable(INSTANCE, {"paths_csv": "date,hash\n2027-01,45\n"},
        "paths.csv", 1, "", "no column `month`"),
    "path with a gap in time": paths("month,hash\n2027-04,45\n2027-02,44\n", 3, "month",
        "must rise"),
    "path with a wrong month":
        paths("month,hash\n2027-01,45\nJan 2028,44\n", 3, "month", "month cannot be read"),
    "path with text":
        paths("month,hash\n2027-01,45\n2027-02,forty\n", 3, "hash", "cannot be read"),
    "path with a decimal comma": paths('month,hash\n2027-01,"45,5"\n2027-02,44\n', 2, "hash",
        "cannot be read", "decimal point"),
    "path in another unit": BadTable(PATHS, {"paths_csv": "month,hash\n2027-01,0.045\n"},
        "instance.toml", line_of("hashprice", PATHS), "bitcoin.hashprice_usd_per_ph_day",
        "far from real figures", "in $/TH/day it would be 45"),
    # sources.csv
    "sources without a value": sources("key,unit,source,remark\n", "columns are not those"),
    "sources with a column more": sources("key,value,unit,source,remark,date\n",
        "columns are not those"),
}  # fmt: skip


@pytest.mark.parametrize("bad", TABLES.values(), ids=TABLES.keys())
def test_mistake_in_a_table(bad: BadTable, tmp_path: Path) -> None:
    problem = only_error(write_folder(tmp_path, bad.toml, **bad.files))
    assert (problem.file, problem.key) == (bad.file, bad.key)
    assert bad.says in problem.message
    assert bad.hint in problem.hint
    assert problem.line == bad.line


# --- prices --------------------------------------------------------------------------------

CENTRAL = timezone(timedelta(hours=-6))


def hourly(
    change: Callable[[list[str]], list[str]] = list, header: str = "time,price_usd_per_mwh"
) -> str:
    """Write the hours of 2023 at 30 $/MWh, then change the rows."""
    start = datetime(2023, 1, 1, tzinfo=CENTRAL)
    rows = [f"{(start + timedelta(hours=h)).isoformat(' ')},30" for h in range(8760)]
    return "\n".join([header, *change(rows)]) + "\n"


def curve(change: Callable[[list[str]], list[str]] = list) -> str:
    """Write a price-duration curve of one step a month, then change the rows."""
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    rows = [f"{month},{24 * length},30" for month, length in enumerate(days, 1)]
    return "\n".join(["month,hours,price_usd_per_mwh", *change(rows)]) + "\n"


def put(position: int, row: str) -> Callable[[list[str]], list[str]]:
    """Replace one row, counted from zero."""
    return lambda rows: [*rows[:position], row, *rows[position + 1 :]]


def cell(position: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    """Change a piece of one row, counted from zero."""
    return lambda rows: [*rows[:position], rows[position].replace(old, new), *rows[position + 1 :]]


@dataclass(frozen=True)
class BadPrices:
    """A price file and what must be said about it."""

    text: str | bytes
    line: int | None
    says: str
    hint: str = ""
    way: str = "prices"
    name: str = "grid.csv"
    files: dict[str, str | bytes] = field(default_factory=dict)


PRICES: dict[str, BadPrices] = {
    "an hour missing": BadPrices(hourly(lambda rows: rows[:100] + rows[101:]), 102,
        "an hour is missing", "clock change"),
    "a week missing": BadPrices(hourly(lambda rows: rows[:100] + rows[268:]), 102,
        "168 hours are missing"),
    "an hour twice": BadPrices(hourly(lambda rows: rows[:101] + rows[100:]), 103, "given twice"),
    "out of order": BadPrices(hourly(lambda rows: rows[::-1]), 3, "not in order"),
    "last hour missing":
        BadPrices(hourly(lambda rows: rows[:-1]), 8760, "last month is not whole"),
    "first hour missing": BadPrices(hourly(lambda rows: rows[1:]), 2, "first month is not whole"),
    "half a year": BadPrices(hourly(lambda rows: rows[:4344]), None, "holds no July, August"),
    "a row of two years": BadPrices(hourly(lambda rows: [*rows, "2024-01-01 00:00:00-06:00,30"]),
        8762, "last month is not whole"),
    "no offset": BadPrices(hourly(cell(5, "-06:00", "")), 7, "no offset", "clock change"),
    "no time": BadPrices(hourly(put(5, ",30")), 7, "time cannot be read"),
    "American time": BadPrices(hourly(put(5, "01/01/2023 05:00,30")), 7, "time cannot be read"),
    "hour 24": BadPrices(hourly(cell(5, "05:00:00", "24:00:00")), 7, "time cannot be read"),
    "quarter-hours": BadPrices(hourly(cell(5, "05:00:00", "05:15:00")), 7, "start of an hour",
        "average quarter-hours"),
    "the 30th of February": BadPrices(hourly(cell(5, "01-01", "02-30")), 7, "time cannot be read"),
    "text for a price": BadPrices(hourly(cell(5, ",30", ",thirty")), 7, "cell cannot be read"),
    "price missing": BadPrices(hourly(cell(5, ",30", ",")), 7, "cell cannot be read"),
    "decimal comma": BadPrices(hourly(cell(5, ",30", ',"30,5"')), 7, "cell cannot be read",
        "decimal point"),
    "nan price": BadPrices(hourly(cell(5, ",30", ",nan")), 7, "cell cannot be read"),
    "1_000": BadPrices(hourly(cell(5, ",30", ",1_000")), 7, "cell cannot be read", "underscore"),
    "price beyond any market": BadPrices(hourly(cell(5, ",30", ",30000")), 7, "outside its range"),
    "price per kWh": BadPrices(hourly().replace(",30\n", ",0.03\n"), None, "mean price",
        "not in $/kWh"),
    "another header": BadPrices(hourly(header="hour,lmp"), 1, "no column `time`"),
    "a column more": BadPrices(hourly().replace("\n", ",1\n").replace("mwh,1", "mwh,zone"), 1,
        "unknown column", "take the column out"),
    "a cut that is no mark":
        BadPrices(hourly(cell(5, ",30", ",30,no")).replace(",30\n", ",30,\n").replace("mwh\n",
        "mwh,cut\n"), 7, "cell cannot be read"),
    "ragged": BadPrices(hourly(cell(5, ",30", ",30,1")), 7, "as many cells"),
    "two columns of time": BadPrices(hourly().replace(",30\n", ",30,0\n")
        .replace("mwh\n", "mwh,Datetime\n"), 1, "two columns mean the same"),
    "header alone": BadPrices("time,price_usd_per_mwh\n", None, "no rows"),
    "empty": BadPrices("", None, "is empty"),
    "binary": BadPrices(b"PK\x03\x04\x00\x00\x00\x00", None, "not UTF-8"),
    "a curve as prices": BadPrices(curve(), 1, "of the other kind", "`duration`"),
    "prices as a curve": BadPrices(hourly(), 1, "of the other kind", "`prices`", way="duration"),
    "month too short": BadPrices(curve(put(0, "1,700,30")), None, "hours of January",
        way="duration"),
    "month missing": BadPrices(curve(lambda rows: rows[:-1]), None, "hours of December",
        way="duration"),
    "month thirteen": BadPrices(curve(put(11, "13,744,30")), 13, "outside its range",
        way="duration"),
    "month and a half": BadPrices(curve(put(11, "11.5,744,30")), 13, "outside its range",
        way="duration"),
    "negative hours":
        BadPrices(curve(put(0, "1,-744,30")), 2, "outside its range", way="duration"),
    "no file": BadPrices("", None, "no such file", name="other.csv"),
    "path up": BadPrices("", None, "leaves the instance's folder", name="../grid.csv"),
    "absolute path": BadPrices("", None, "leaves the instance's folder", name="/etc/hostname"),
    "path up inside": BadPrices("", None, "leaves the instance's folder", name="a/../../b.csv"),
    "name with NUL": BadPrices("", None, "no NUL", name="a\\u0000.csv"),
    "backslash": BadPrices("", None, "no backslash", name="..\\\\grid.csv"),
    "very long name": BadPrices("", None, "", name="x" * 300),
    "the folder itself": BadPrices("", None, "folder, not a file", name="."),
}  # fmt: skip


@pytest.mark.parametrize("bad", PRICES.values(), ids=PRICES.keys())
def test_mistake_in_a_price_file(bad: BadPrices, tmp_path: Path) -> None:
    toml = edited("flat_usd_per_mwh = 40", f'{bad.way} = "{bad.name}"')
    files = {"grid_csv": bad.text} if bad.name == "grid.csv" else {}
    problem = only_error(write_folder(tmp_path, toml, **files))
    assert bad.says in problem.message
    assert bad.hint in problem.hint
    assert problem.line == bad.line


# --- folders and files ---------------------------------------------------------------------


def test_no_folder(tmp_path: Path) -> None:
    assert "no such folder" in only_error(tmp_path / "nowhere").message


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    problem = only_error(write_folder(tmp_path) / "instance.toml")
    assert "an instance is a folder" in problem.message


def test_a_folder_without_an_instance(tmp_path: Path) -> None:
    problem = only_error(write_folder(tmp_path, None, halls_csv="name\n"))
    assert "no instance.toml" in problem.message
    assert "halls.csv" in problem.hint


def test_an_empty_instance(tmp_path: Path) -> None:
    assert "is empty" in only_error(write_folder(tmp_path, "")).message


@pytest.mark.parametrize(
    "data", [INSTANCE.encode("utf-16"), INSTANCE.encode("utf-32"), b"\xff\xff"]
)
def test_an_instance_in_another_encoding(data: bytes, tmp_path: Path) -> None:
    assert "not UTF-8" in only_error(write_folder(tmp_path, data)).message


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "halls.csv").mkdir()
    problem = only_error(folder)
    assert (problem.file, problem.message) == ("halls.csv", "this is a folder, not a file")


def test_a_pipe_in_place_of_a_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    os.mkfifo(folder / "halls.csv")
    assert "not a regular file" in only_error(folder).message


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permissions are played, as whoever runs the tests may read everything."""
    folder = write_folder(tmp_path, NO_HALLS, halls_csv=HALLS)
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "halls.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "permission denied" in only_error(folder).message


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    with (folder / "paths.csv").open("wb") as file:
        file.truncate(50_000_001)
    assert "more than 50 MB" in only_error(folder).message


@pytest.mark.parametrize("name", ["instance.toml", "halls.csv", "grid.csv"])
def test_a_link_out_of_the_folder(name: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(INSTANCE if name == "instance.toml" else HALLS, encoding="utf-8")
    toml = (
        None if name == "instance.toml" else edited("flat_usd_per_mwh = 40", 'prices = "grid.csv"')
    )
    folder = write_folder(
        tmp_path / "inside", toml, **({} if name != "halls.csv" else {"grid_csv": hourly()})
    )
    (folder / name).symlink_to(outside)
    assert "by a link" in only_error(folder).message


def test_a_link_to_nothing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "halls.csv").symlink_to(folder / "nothing.csv")
    assert "no such file" in only_error(folder).message


def test_a_link_to_itself(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "halls.csv").symlink_to(folder / "halls.csv")
    assert only_error(folder).file == "halls.csv"


def test_an_absurd_number_of_halls(tmp_path: Path) -> None:
    rows = "".join(f"h{i},north,1,5,mine\n" for i in range(2001))
    problem = only_error(
        write_folder(tmp_path, NO_HALLS, halls_csv=HALLS.splitlines()[0] + "\n" + rows)
    )
    assert (problem.message, problem.key) == ("the instance is too large", "halls")


def test_an_absurd_number_of_rows(tmp_path: Path) -> None:
    text = FLEET + "old,s21-lot,1,0\n" * 20_000
    assert (
        "more than 20000" in only_error(write_folder(tmp_path, NO_FLEET, fleet_csv=text)).message
    )


def test_prices_for_a_site_that_is_not_there(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    with pytest.raises(InputRefused) as refused:
        load(folder, {"nrth": folder / "x.csv"})
    (problem,) = refused.value.problems
    assert problem.file == "--prices nrth=x.csv"
    assert "did you mean `north`?" in problem.hint


def test_prices_do_not_hide_a_supply_that_is_not_there(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, edited('power = "grid"', 'power = "gird"'), grid_csv=curve())
    with pytest.raises(InputRefused) as refused:
        load(folder, {"north": folder / "grid.csv"})
    assert "there is no 'gird' in power" in refused.value.problems[0].message


def test_prices_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    with pytest.raises(InputRefused) as refused:
        load(folder, {"north": folder / "x.csv"})
    assert "no such file" in refused.value.problems[0].message


# --- many at once --------------------------------------------------------------------------

TEN = (
    ("it_mw = 5", "it_mww = 5"),
    ("th_per_s = 200", "th_per_s = 0.2"),
    ('cooling = "air"\nlife', 'cooling = "wind"\nlife'),
    ("periods = 8", "periods = 8.5"),
    ("flat_usd_per_mwh = 40", "flat_usd_per_mwh = 0.04"),
    ('hall = "old"', 'hall = "odl"'),
    ("opening_cash_musd = 20", "opening_cash_musd = nan"),
    ("adds_firm_mw = 10\n", ""),
    ("availability = 0.9995", "availability = 99.95"),
    ("[policy]", '[policy]\nkeep_sites = ["south"]'),
)


def test_ten_planted_mistakes_are_told_as_ten(tmp_path: Path) -> None:
    text = INSTANCE
    for old, new in TEN:
        text = edited(old, new, text)
    with pytest.raises(InputRefused) as refused:
        load(write_folder(tmp_path, text))
    errors = [p for p in refused.value.problems if p.severity == "error"]
    assert [p.key for p in errors] == [
        "horizon.periods",
        "finance.opening_cash_musd",
        "machines.s21.th_per_s",
        "machines.s21.cooling",
        "uptime.packages.n-plus-1.availability",
        "projects.line",
        "halls.old.it_mww",
        "fleet.0.hall",
        "power.grid.flat_usd_per_mwh",
        "policy.keep_sites.0",
    ]
    lines = [p.line or 0 for p in errors]
    assert lines == sorted(lines)


def test_mistakes_of_several_files_are_told_together(tmp_path: Path) -> None:
    toml = edited("flat_usd_per_mwh = 40", 'prices = "grid.csv"', NO_HALLS)
    folder = write_folder(
        tmp_path, toml.replace("pue = 1.05", "pue = 0.05"), halls_csv=HALLS.replace(",5,", ",x,"),
        grid_csv=hourly(cell(5, ",30", ",x")), sources_csv="key\n",
    )  # fmt: skip
    with pytest.raises(InputRefused) as refused:
        load(folder)
    assert [p.file for p in refused.value.problems if p.severity == "error"] == [
        "instance.toml", "halls.csv", "sources.csv", "grid.csv",
    ]  # fmt: skip


def test_many_like_mistakes_of_a_file_are_counted(tmp_path: Path) -> None:
    toml = edited("flat_usd_per_mwh = 40", 'prices = "grid.csv"')
    folder = write_folder(tmp_path, toml, grid_csv=hourly().replace(",30\n", ",thirty\n"))
    with pytest.raises(InputRefused) as refused:
        load(folder)
    assert len(refused.value.problems) == 6
    assert refused.value.problems[-1].message == "the cell cannot be read, and 8754 more"


def test_problems_are_told_as_text_as_a_screen_and_as_json(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        load(write_folder(tmp_path, edited("it_mw = 5", "it_mww = 5")))
    problems = refused.value.problems
    assert str(refused.value) == plain(problems)
    assert plain(problems).splitlines()[0] == (
        f"instance.toml:{line_of('it_mw = 5')}: error: halls.old.it_mww: unknown key"
    )
    assert as_json(problems)[0]["hint"] == "did you mean `it_mw`?"
    assert summary(problems) == "1 error, no warnings"
    assert rich(problems).renderables


def test_there_are_enough_mistakes() -> None:
    assert len(TYPED) + len(TABLES) + len(PRICES) >= 120


# --- told once, and nothing that does not work ---------------------------------------------


def test_a_lost_header_names_the_block_and_nothing_that_is_not_built(tmp_path: Path) -> None:
    toml = edited('[horizon]\nstart = "2027-01"\n', "")
    toml = toml.replace('[instance]\nname = "small"\n', "")
    _, problems = examine(write_folder(tmp_path, toml))
    (periods,) = [problem for problem in problems if problem.key == "periods"]
    assert periods.hint == "`periods` is a key of horizon; does it stand under its header?"
    assert "scenarios" not in periods.allowed
    assert not any("scenarios" in problem.message + problem.key for problem in problems)


def test_a_column_that_is_missing_is_told_once(tmp_path: Path) -> None:
    halls = "name,site,count\n" + "".join(f"h{i},north,4\n" for i in range(12))
    rows = edited('[halls.old]\nsite = "north"\ncount = 4\nit_mw = 5\nrack_positions = 8\n'
                  'fitout = "mine"\n', "", edited("age_months = 12", "", edited(
                      'hall = "old"', 'hall = "h1"')))  # fmt: skip
    _, problems = examine(write_folder(tmp_path, rows, halls_csv=halls))
    missing = [problem for problem in problems if "it_mw" in problem.key]
    assert [(problem.key, problem.line) for problem in missing] == [("halls.it_mw", 1)]
    assert "column" in missing[0].message


def test_names_of_the_instance_come_before_those_of_the_catalogue(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, edited('fitout = "mine"', 'fitout = "minning-air"'))
    _, problems = examine(folder)
    (problem,) = [problem for problem in problems if problem.key == "halls.old.fitout"]
    assert problem.allowed.startswith("ai, mine; of the catalogue ")
    assert "mining-air" in problem.allowed
    assert problem.hint == "did you mean `mining-air`?"


def test_a_price_that_is_not_there_is_not_to_be_left_empty(tmp_path: Path) -> None:
    rows = "time,price_usd_per_mwh\n2023-01-01 00:00:00-06:00,n/a\n2023-01-01 01:00:00-06:00,\n"
    toml = edited("flat_usd_per_mwh = 40", 'prices = "grid.csv"')
    _, problems = examine(write_folder(tmp_path, toml, grid_csv=rows))
    hints = [problem.hint for problem in problems if problem.key == "price_usd_per_mwh"]
    assert len(hints) == 2
    assert all(hint.startswith("every hour needs its price") for hint in hints)
