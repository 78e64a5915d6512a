"""What no single block shows: units, limits that clash, plans that cannot be, keys of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.checks.limits import sizes
from optimizer.errors import InputRefused, Problem, plain
from optimizer.load import examine, load
from tests.folders import INSTANCE, edited, line_of, write_folder


def problems(folder: Path) -> tuple[Problem, ...]:
    return examine(folder)[1]


# --- units ---------------------------------------------------------------------------------

CLOUD = "[gpu_cloud.gpu]\nprice_usd_per_gpu_hour = 2.5\nutilisation_share = 0.7\n\n[policy]"
MORE = (
    edited("[policy]", CLOUD)
    .replace("[projects.line]", "[projects.line]\nlatest = \"2028-01\"")
    .replace("hashprice_usd_per_ph_day = { start = 45, growth_per_month = -0.005 }",
             "btc_price_usd = 90000\nnetwork_eh_per_s = 900")
)  # fmt: skip

#: What was meant, what was typed, and the unit it was typed in.
UNITS: dict[str, tuple[str, str]] = {
    "hall in kW": ("it_mw = 5", "it_mw = 5000"),
    "connection in kW": ("firm_mw = 12", "firm_mw = 12000"),
    "small connection in kW": ("firm_mw = 12", "firm_mw = 3000"),
    "connection in W": ("interruptible_mw = 10", "interruptible_mw = 10e6"),
    "connection in GW": ("firm_mw = 12\ninterruptible_mw = 10", "firm_mw = 0.012"),
    "project in kW": ("adds_firm_mw = 10", "adds_firm_mw = 10000"),
    "project in $": ("capex_musd = 8", "capex_musd = 8e6"),
    "project in thousand $": ("capex_musd = 8", "capex_musd = 8000"),
    "contract in kW": ("max_mw = 8", "max_mw = 8000"),
    "GPU rack in W": ("kw = 132", "kw = 132000"),
    "GPU rack in MW": ("kw = 132", "kw = 0.132"),
    "one GPU's draw": ("kw = 132", "kw = 1.2"),
    "one GPU's price": ("price_usd = 3_000_000", "price_usd = 30_000"),
    "rack in M$": ("price_usd = 3_000_000", "price_usd = 3"),
    "power in $/kWh": ("flat_usd_per_mwh = 40", "flat_usd_per_mwh = 0.04"),
    "adder in $/kWh": ("adder_usd_per_mwh = 8", "adder_usd_per_mwh = 0.008"),
    "machine in PH/s": ("th_per_s = 200", "th_per_s = 0.2"),
    "machine in GH/s": ("th_per_s = 200", "th_per_s = 200_000"),
    "efficiency in J/GH": ("j_per_th = 17.5", "j_per_th = 0.0175"),
    "draw in kW": ("j_per_th = 17.5", "watt = 3.5"),
    "draw of a rack": ("j_per_th = 17.5", "watt = 980_000"),
    "price of a machine": ("price_usd_per_th = 14", "price_usd_per_th = 2800"),
    "resale of a machine": ("resale_usd_per_th = 5", "resale_usd_per_th = 1000"),
    "life in years": ("life_months = 60\nresale_usd_per_th", "life_months = 5\nresale_usd_per_th"),
    "hall life in years": ("life_months = 240", "life_months = 20"),
    "price of bitcoin in thousand $": ("btc_price_usd = 90000", "btc_price_usd = 90"),
    "network in PH/s": ("network_eh_per_s = 900", "network_eh_per_s = 900_000"),
    "network in TH/s": ("network_eh_per_s = 900", "network_eh_per_s = 9e8"),
    "discount in percent": ("discount_per_year = 0.1", "discount_per_year = 10"),
    "cash in $": ("opening_cash_musd = 20", "opening_cash_musd = 20_000_000"),
    "budget in $": ("capex_budget_musd = 60", "capex_budget_musd = 60_000_000"),
    "share in percent": ("mining_share_min = 0.1", "mining_share_min = 10"),
    "availability in percent": ("availability = 0.9995", "availability = 99.95"),
    "outage for availability": ("availability = 0.999\n", "availability = 0.001\n"),
    "pue as efficiency": ("pue = 1.05", "pue = 0.95"),
    "pue in percent": ("pue = 1.05", "pue = 105"),
    "works in $/MW": ("capex_usd_per_kw = 7500", "capex_usd_per_kw = 7_500_000"),
    "works in M$/MW": ("capex_usd_per_kw = 7500", "capex_usd_per_kw = 7.5"),
    "mine in M$/MW": ("capex_usd_per_kw = 350", "capex_usd_per_kw = 0.35"),
    "rent a year": ("rate_usd_per_kw_month = 140", "rate_usd_per_kw_month = 2100"),
    "rent in $/kWh": ("rate_usd_per_kw_month = 140", "rate_usd_per_kw_month = 0.19"),
    "rent in $/MW": ("rate_usd_per_kw_month = 140", "rate_usd_per_kw_month = 140_000"),
    "term in years": ("\nmonths = 120", "\nmonths = 10"),
    "GPU-hour as a year": ("price_usd_per_gpu_hour = 2.5", "price_usd_per_gpu_hour = 21900"),
    "GPU-hour in $ a second": ("price_usd_per_gpu_hour = 2.5", "price_usd_per_gpu_hour = 0.0007"),
    "utilisation in percent": ("utilisation_share = 0.7", "utilisation_share = 70"),
}  # fmt: skip


@pytest.mark.parametrize(("meant", "typed"), UNITS.values(), ids=UNITS.keys())
def test_a_wrong_unit_is_stopped(meant: str, typed: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as refused:
        load(write_folder(tmp_path, edited(meant, typed, MORE)))
    (error,) = [p for p in refused.value.problems if p.severity == "error"]
    first = line_of(typed, edited(meant, typed, MORE))
    assert error.line in range(first, first + typed.count("\n") + 1)


def test_forty_wrong_units_were_tried() -> None:
    assert len(UNITS) >= 40


def test_the_text_with_right_units_loads(tmp_path: Path) -> None:
    load(write_folder(tmp_path, MORE))


HINTS = {
    "in kW it would be 5 MW": ("it_mw = 5", "it_mw = 5000"),
    "in $/kWh it would be 40 $/MWh": ("flat_usd_per_mwh = 40", "flat_usd_per_mwh = 0.04"),
    "in PH/s it would be 200 TH/s": ("th_per_s = 200", "th_per_s = 0.2"),
    "in percent it would be 0.1;": ("mining_share_min = 0.1", "mining_share_min = 10"),
    "in years it would be 60 months": ("life_months = 60\nresale_usd_per_th",
        "life_months = 5\nresale_usd_per_th"),
    "in $ it would be 20 M$": ("opening_cash_musd = 20", "opening_cash_musd = 20_000_000"),
    "in $/kW a year it would be 175 $/kW/month": ("rate_usd_per_kw_month = 140",
        "rate_usd_per_kw_month = 2100"),
}  # fmt: skip


@pytest.mark.parametrize("hint", HINTS)
def test_the_unit_that_was_typed_is_named(hint: str, tmp_path: Path) -> None:
    (problem,) = problems(write_folder(tmp_path, edited(*HINTS[hint])))
    assert hint.rstrip(";") in problem.hint


def test_a_long_figure_is_written_out(tmp_path: Path) -> None:
    toml = edited("opening_cash_musd = 20", "opening_cash_musd = 20_000_000")
    (problem,) = problems(write_folder(tmp_path, toml))
    assert problem.found == "20,000,000 M$"


def test_what_is_unusual_on_purpose_is_accepted(tmp_path: Path) -> None:
    toml = edited(
        'name = "small"', 'name = "small"\naccept_unusual = ["projects.line.capex_musd"]'
    )
    loaded = load(write_folder(tmp_path, edited("capex_musd = 8", "capex_musd = 800", toml)))
    assert loaded.instance.projects["line"].capex_musd == 800


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("sites.north.firm_mw", "firm_mw = 12", "firm_mw = 6000"),
        ("bitcoin.hashprice_usd_per_ph_day", "start = 45", "start = 4500"),
        ("bitcoin.hashprice_usd_per_ph_day.growth_per_month", "= -0.005", "= -0.19"),
        ("racks.gpu.price_usd", "price_usd = 3_000_000", "price_usd = 30_000"),
    ],
)
def test_any_key_told_as_unusual_can_be_accepted(
    key: str, old: str, new: str, tmp_path: Path
) -> None:
    toml = edited(old, new)
    (problem,) = [p for p in problems(write_folder(tmp_path / "told", toml)) if p.hint]
    assert (problem.key, f'add "{key}" to instance.accept_unusual' in problem.hint) == (key, True)
    accepted = edited('name = "small"', f'name = "small"\naccept_unusual = ["{key}"]', toml)
    assert plain(problems(write_folder(tmp_path / "accepted", accepted))) == ""


def test_accepting_what_is_usual_is_told(tmp_path: Path) -> None:
    toml = edited('name = "small"', 'name = "small"\naccept_unusual = ["halls.old.it_mw"]')
    (warning,) = problems(write_folder(tmp_path, toml))
    assert (warning.severity, warning.message) == (
        "warning", "the value of this key is not unusual")  # fmt: skip


def test_a_growth_that_leads_nowhere_near_is_told(tmp_path: Path) -> None:
    toml = edited("growth_per_month = -0.005", "growth_per_month = -0.19")
    (problem,) = problems(write_folder(tmp_path, toml))
    assert "after 24 months of this growth" in problem.message
    assert "yearly rate" in problem.hint


# --- what no plan can do -------------------------------------------------------------------

SIGNED = '[[commitments.contracts]]\ncontract = "lease"\nmw = 8\n\n[policy]'
ORDER = (
    '[[commitments.racks]]\nhall = "old"\nrack = "s21-lot"\nracks = 1\n'
    'delivery = "2027-09"\ndue_musd = 5\n\n[policy]'
)


def with_edits(*edits: tuple[str, str]) -> str:
    text = INSTANCE
    for old, new in edits:
        text = edited(old, new, text)
    return text


#: A thrifty fit-out that the halls of the test may not get.
AIRY = """\
[fitouts.airy]
workload = "ai"
cooling = "liquid"
it_share_of_present = 0.7
capex_usd_per_kw = 7500
works_months = 12
pue = 1.01
life_months = 240

"""

IMPOSSIBLE: dict[str, tuple[str, str, str, str]] = {
    "more AI than firm MW": (with_edits(("[policy]", SIGNED), ("firm_mw = 12", "firm_mw = 1")),
        "commitments.contracts.0.mw", "more than the firm MW",
        "11.2 MW at peak for lease in 2028-07"),
    "a project that comes too late": (with_edits(("[policy]", SIGNED),
        ("firm_mw = 12", "firm_mw = 4"), ("\nmonths = 12\n", "\nmonths = 24\n")),
        "commitments.contracts.0.mw", "more than the firm MW", "11.2 MW"),
    "firm MW that end": (with_edits(("[policy]", SIGNED), ("firm_mw = 12", 'firm_mw = ['
        '{ from = "2027-01", value = 12 }, { from = "2028-10", value = 0.5 }]')),
        "commitments.contracts.0.mw", "more than the firm MW", "in 2028-10"),
    "AI only on new MW": (with_edits(("[policy]", SIGNED + "\nreuse_power = false")),
        "commitments.contracts.0.mw", "more than the firm MW", "11.2 MW"),
    "AI limited at the site":
        (with_edits(("[policy]", SIGNED), ("firm_mw = 12", "firm_mw = 12\nai_mw_max = 5")),
        "commitments.contracts.0.mw", "more than the firm MW", "11.2 MW"),
    "promised more than any package":
        (with_edits(("[policy]", SIGNED), ("availability = 0.999\n", "availability = 0.9999\n")),
        "contracts.lease.availability", "more than any design reaches", "0.9999"),
    "no package at all": (with_edits(("[policy]", SIGNED),
        ("[uptime.packages.n-plus-1]\navailability = 0.9995\ncapex_usd_per_kw = 700\n", "")),
        "contracts.lease.availability", "more than any design reaches", "0.999"),
    "no hall for the contract":
        (with_edits(("[policy]", SIGNED), ("sites = [", 'cooling = "immersion"\nsites = [')),
        "contracts.lease", "no hall can ever serve", ""),
    "racks too dense for every hall":
        (with_edits(("[policy]", SIGNED), ("sites = [", "kw_per_rack = 200\nsites = [")),
        "contracts.lease", "no hall can ever serve", ""),
    "halls that stay": (with_edits(("[policy]", SIGNED + '\nkeep_sites = ["north"]')),
        "contracts.lease", "no hall can ever serve", ""),
    "owed more than the budget":
        (with_edits(("[policy]", ORDER), ("capex_budget_musd = 60", "capex_budget_musd = 4")),
        "finance.capex_budget_musd", "already owed", "5 M$ owed"),
    "owed more than the site's budget":
        (with_edits(("[policy]", ORDER), ("north = 60", "north = 4")),
        "finance.capex_budget_by_site_musd.north", "already owed", "5 M$ owed"),
    "owed more than the budget of a span": (with_edits(("[policy]", ORDER),
        ("capex_budget_musd = 60", 'capex_budget_by_period = ['
        '{ from = "2027-07", to = "2027-12", musd = 4 }]')), "finance.capex_budget_by_period.0",
        "already owed", "5 M$ owed"),
    "cash below its minimum":
        (with_edits(("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', "")),
        "finance.opening_cash_musd", "below its minimum", "2 M$"),
    "cash below its minimum, and a loan that pays for capex only":
        (with_edits(("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ("[bitcoin]", "[finance.loan]\nlimit_musd = 50\ninterest_per_year = 0.1\n\n[bitcoin]")),
        "finance.opening_cash_musd", "below its minimum", "2 M$"),
    "cash that repays debt at once":
        (with_edits(("opening_cash_musd = 20", "opening_cash_musd = 6\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ('month = "2027-06"', 'month = "2027-03"')),
        "finance.opening_cash_musd", "below its minimum", "2 M$ repay debt"),
    "cash that waits for racks on order":
        (with_edits(("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ("[policy]", ORDER.replace("2027-09", "2027-02"))),
        "finance.opening_cash_musd", "below its minimum", "2 M$"),
    "signed beyond the firm MW of the one fit-out that serves it":
        (with_edits(("[policy]", SIGNED), ("firm_mw = 12", "firm_mw = 0.5"),
        ("[uptime.packages.n-plus-1]", AIRY + "[uptime.packages.n-plus-1]"),
        ("rack_positions = 8", 'rack_positions = 8\nfitouts = ["ai"]')),
        "commitments.contracts.0.mw", "firm MW", "11.2 MW at peak"),
}  # fmt: skip


def test_an_offer_beyond_all_firm_mw_is_told(tmp_path: Path) -> None:
    """Two MW at a peak of 1.4 need 2.8 firm MW; the line brings ten, unless it comes too late."""
    few = edited("firm_mw = 12", "firm_mw = 2.7")
    assert "never signed" not in plain(problems(write_folder(tmp_path / "line", few)))
    late = edited("capex_musd = 8", 'capex_musd = 8\nearliest = "2028-01"', few)
    (problem,) = problems(write_folder(tmp_path / "late", late))
    assert (problem.severity, problem.key) == ("warning", "contracts.lease.min_mw")
    assert "never signed" in problem.message
    assert problem.found == "2.8 MW at peak for its least MW in 2028-07"
    assert problem.allowed == "at most 2.7 MW firm at north, with every project built"
    enough = edited("firm_mw = 2.7", "firm_mw = 2.8", late)
    assert plain(problems(write_folder(tmp_path / "enough", enough))) == ""


@pytest.mark.parametrize(
    ("toml", "key", "says", "found"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys()
)
def test_the_impossible_is_told_before_any_solve(
    toml: str, key: str, says: str, found: str, tmp_path: Path
) -> None:
    errors = [p for p in problems(write_folder(tmp_path, toml)) if p.severity == "error"]
    assert any(p.key == key and says in p.message and found in p.found for p in errors), plain(
        errors
    )


POSSIBLE: dict[str, str] = {
    "signed with the line built":
        with_edits(("[policy]", SIGNED), ("firm_mw = 12", "firm_mw = 4")),
    "a ramp that ends beyond the horizon": with_edits(("[policy]", SIGNED),
        ("firm_mw = 12", "firm_mw = 1"), ("capex_musd = 8", "capex_musd = 8\nmax_units = 1"),
        ('start = "2028-07"', 'start = "2028-07"\nramp = [{ after_months = 0, share = 0.5 }, '
        "{ after_months = 12, share = 1 }]")),
    "delivery that may slip": with_edits(("[policy]", SIGNED), ("firm_mw = 12", "firm_mw = 1"),
        ('start = "2028-07"', 'start = "2028-07"\nlatest_delivery = "2029-06"')),
    "owed what the budget allows": with_edits(("[policy]", ORDER),
        ("capex_budget_musd = 60", "capex_budget_musd = 5")),
    "owed after the horizon":
        with_edits(("[policy]", ORDER.replace("due_musd = 5", 'due_musd = 5\ndue = "2030-01"')),
        ("capex_budget_musd = 60", "capex_budget_musd = 4")),
    "little cash and an advance": with_edits(
        ("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ("rate_usd_per_kw_month = 140",
         "rate_usd_per_kw_month = 140\nprepayment_usd_per_kw = 900")),
    "little cash and racks that land at once":
        with_edits(("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ("[policy]", ORDER.replace("2027-09", "2027-01"))),
    "debt that falls due after the first period":
        with_edits(("opening_cash_musd = 20", "opening_cash_musd = 6\nminimum_cash_musd = 5"),
        ('[[fleet]]\nhall = "old"\nrack = "s21-lot"\nracks = 14\nage_months = 12\n', ""),
        ('month = "2027-06"', 'month = "2027-04"')),
    "little cash and a fleet to sell":
        with_edits(("opening_cash_musd = 20", "opening_cash_musd = 2\nminimum_cash_musd = 5")),
}  # fmt: skip


@pytest.mark.parametrize("toml", POSSIBLE.values(), ids=POSSIBLE.keys())
def test_the_possible_is_let_pass(toml: str, tmp_path: Path) -> None:
    load(write_folder(tmp_path, toml))


def test_contracts_that_compete_for_one_site_are_added_up(tmp_path: Path) -> None:
    second = INSTANCE[INSTANCE.index("[contracts.lease]") : INSTANCE.index("[[commitments.debt]]")]
    signed = SIGNED.replace("mw = 8", "mw = 5")
    both = signed.replace("[policy]", "") + signed.replace("lease", "other")
    toml = with_edits(("[policy]", second.replace("lease", "other") + both))
    assert "firm MW" not in plain(problems(write_folder(tmp_path / "room", toml)))
    toml = toml.replace("firm_mw = 12", "firm_mw = 3")
    (problem,) = problems(write_folder(tmp_path / "none", toml))
    assert problem.found.startswith("14 MW at peak for lease, other")


KEPT = ORDER + '\nkeep_sites = ["north"]'


def kept(age: int, racks: int, *edits: tuple[str, str]) -> str:
    """Halls of 20 MW at a site that is kept, 19.6 MW of racks of 0.98 MW in them, one on order."""
    fleet = ("racks = 14\nage_months = 12", f"racks = {racks}\nage_months = {age}")
    return with_edits(("[policy]", KEPT), fleet, *edits)


def test_racks_on_order_need_room_at_a_site_that_is_kept(tmp_path: Path) -> None:
    """Four halls of five racks each; the order lands in the fourth quarter of 2027."""
    (error,) = problems(write_folder(tmp_path / "full", kept(12, 20)))[:1]
    assert (error.severity, error.key) == ("error", "commitments.racks.0.racks")
    assert error.message == (
        "with those on order, the racks kept in old in 2027-10 take more MW than its halls have"
    )
    assert (error.found, error.allowed) == (
        "20.58 MW",
        "20 MW in 4 halls without works under way",
    )
    for name, toml in {
        "room": kept(12, 19),
        # A life of 60 months ends in November 2027, within the quarter; below, with the year.
        "worn": kept(49, 20),
        "free": kept(12, 20).replace('keep_sites = ["north"]', ""),
        "late": kept(12, 20, ('delivery = "2027-09"', 'delivery = "2029-01"')),
    }.items():
        assert "kept in" not in plain(problems(write_folder(tmp_path / name, toml)))
    assert "kept in" in plain(problems(write_folder(tmp_path / "young", kept(48, 20))))


# --- warnings ------------------------------------------------------------------------------

WARNED: dict[str, tuple[str, str, str, str]] = {
    "lead time of a rack": ("delivery_months = 6", "delivery_months = 7",
        "racks.gpu.delivery_months", "rounds up to whole periods: 9 months"),
    "lead time of works": ("works_months = 12", "works_months = 13", "fitouts.ai.works_months",
        "15 months"),
    "lead time of a project": ("\nmonths = 12\n", "\nmonths = 10\n", "projects.line.months",
        "12 months"),
    "contract after the horizon": ('start = "2028-07"', 'start = "2030-07"',
        "contracts.lease.start", "after the horizon"),
    "offer that has expired": ('sign_by = "2027-04"', 'sign_by = "2026-04"',
        "contracts.lease.sign_by", "expires before"),
    "project after the horizon": ("adds_firm_mw = 10", 'adds_firm_mw = 10\nearliest = "2031-01"',
        "projects.line.earliest", "beyond the horizon"),
    "project before the horizon": ("adds_firm_mw = 10", 'adds_firm_mw = 10\nlatest = "2026-01"',
        "projects.line.latest", "before the horizon"),
    "delivery after the horizon": ("[[commitments.debt]]",
        ORDER.replace("2027-09", "2029-09").replace("[policy]", "[[commitments.debt]]"),
        "commitments.racks.0.delivery", "never arrives"),
    "budget between periods": ("capex_budget_musd = 60", 'capex_budget_by_period = ['
        '{ from = "2027-02", to = "2027-03", musd = 5 }]', "finance.capex_budget_by_period.0",
        "limits nothing"),
    "shares after the horizon": ("mining_share_min = 0.1",
        'mining_share_min = 0.1\nshares_from = "2030-01"', "policy.shares_from",
        "after the horizon"),
    "loan that cannot be drawn": ("[bitcoin]", "[finance.loan]\nlimit_musd = 5\n"
        'interest_per_year = 0.1\ndraw_until = "2026-01"\n\n[bitcoin]', "finance.loan.draw_until",
        "cannot be drawn"),
    "shares without any": ("mining_share_min = 0.1", 'shares_from = "2027-07"',
        "policy.shares_from", "no share is given"),
    "entry cost of who is in": ("opening_cash_musd = 20", "opening_cash_musd = 20\n"
        "ai_entry_cost_musd = 5\nhosts_ai_already = true", "finance.ai_entry_cost_musd",
        "hosts AI already"),
    "loan of nothing": ("[bitcoin]", "[finance.loan]\nlimit_musd = 0\ninterest_per_year = 0.1\n\n"
        "[bitcoin]", "finance.loan", "limit is zero"),
    "halving of a flat hashprice": ("hashprice_usd_per_ph_day = { start = 45, growth_per_month ="
        " -0.005 }", "hashprice_usd_per_ph_day = 45\nhalves = true", "bitcoin.halves",
        "holds its halvings"),
    "fees of what does not halve": ("[bitcoin]", "[bitcoin]\nhalves = false\nfee_share = 0.05",
        "bitcoin.fee_share", "does not halve"),
    "halving of the protocol": ("hashprice_usd_per_ph_day = { start = 45, growth_per_month ="
        " -0.005 }", "btc_price_usd = 90000\nnetwork_eh_per_s = 900\n" "halves = true",
        "bitcoin.halves", "follows the protocol"),
    "draw of a mining rack": ("machines_per_rack = 280", "machines_per_rack = 280\nkw = 980",
        "racks.s21-lot.kw", "what its machines draw"),
    "deposit without a wait": ("delivery_months = 3", "deposit_share = 0.3",
        "racks.s21-lot.deposit_share", "delivered when it is ordered"),
    "purchase window of what cannot be bought": ("delivery_months = 3", "buyable = false\n"
        'buy_from = "2027-07"', "racks.s21-lot.buy_from", "may not be ordered"),
    "rack that stands nowhere": ("gpus_per_rack = 72", "gpus_per_rack = 72\nbuyable = false",
        "racks.gpu", "none stands anywhere"),
    "GPUs that mine": ('workload = "ai"\ncooling = "liquid"\ngpus', 'workload = "mining"\n'
        'cooling = "liquid"\ngpus', "racks.gpu.workload", "earn nothing by mining"),
    "floor that sizes nothing": ("it_mw = 5", "it_mw = 5\nfloor_m2 = 900", "halls.old.floor_m2",
        "no fit-out is sized"),
    "fit-outs of what stays": ("[[fleet]]", '[halls.fixed]\nsite = "north"\ncount = 1\n'
        'it_mw = 5\nconvertible = false\nfitouts = ["mine"]\n\n' "[[fleet]]",
        "halls.fixed.fitouts", "not convertible"),
    "damages that never fall due": ("\nmonths = 120",
        "\nmonths = 120\ndelay_usd_per_kw_month = 100", "contracts.lease.delay_usd_per_kw_month",
        "nothing may be late"),
    "credit of no advance": ("\nmonths = 120", "\nmonths = 120\nprepayment_credit_months = 12",
        "contracts.lease.prepayment_credit_months", "no prepayment"),
    "supply of nobody": ("[power.grid]", "[power.other]\nflat_usd_per_mwh = 30\n\n[power.grid]",
        "power.other", "nothing uses it"),
    "machine of no rack": ("[machines.s21]", '[machines.other]\nuse = "antminer-s21"\n\n'
        "[machines.s21]", "machines.other", "nothing uses it"),
    "group without halls": ("[[fleet]]", '[halls.none]\nsite = "north"\ncount = 0\nit_mw = 5\n\n'
        "[[fleet]]", "halls.none.count", "no project adds any"),
    "offer above every package": ("availability = 0.999\n", "availability = 0.9999\n",
        "contracts.lease.availability", "never signed"),
    "offer that no hall can serve": ("sites = [", 'cooling = "immersion"\nsites = [',
        "contracts.lease", "no hall can ever serve"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "says"), WARNED.values(), ids=WARNED.keys())
def test_the_doubtful_is_told_and_let_pass(
    old: str, new: str, key: str, says: str, tmp_path: Path
) -> None:
    loaded = load(write_folder(tmp_path, edited(old, new)))
    (warning,) = loaded.warnings
    assert (warning.severity, warning.key) == ("warning", key)
    assert says in warning.message


def test_a_sound_instance_has_nothing_to_tell(tmp_path: Path) -> None:
    assert load(write_folder(tmp_path)).warnings == ()


def test_catalogue_keys_of_no_effect_are_not_the_users_fault(tmp_path: Path) -> None:
    """The entry gives a deposit for racks that nobody may order; nobody typed it."""
    toml = edited(
        "[racks.gpu]", '[racks.old]\nuse = "dgx-h100-x4"\nbuyable = false\n\n[racks.gpu]'
    )
    cloud = "[gpu_cloud.old]\nprice_usd_per_gpu_hour = 2\nutilisation_share = 0.7\n\n[policy]"
    toml = edited("[policy]", cloud, toml)
    keys = [problem.key for problem in problems(write_folder(tmp_path, toml))]
    assert keys == ["racks.old"]


def test_states_beyond_any_reader_are_too_many() -> None:
    names = {f"h{i}": {} for i in range(2000)}
    racks = {f"r{i}": {} for i in range(499)}
    document = {"horizon": {"periods": 240}, "halls": names, "racks": racks}
    ((key, found, _),) = sizes(document)
    assert key == ("horizon", "periods")
    assert found.startswith("240000000 combinations")
