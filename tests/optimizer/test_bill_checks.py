"""What `check` says of power bills: agreements, charges, and hours that do not tell enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.instance import Instance
from optimizer.load import examine, load
from tests.folders import INSTANCE, edited, write_folder

FLAT = "flat_usd_per_mwh = 40"
AGREEMENT = "\n[[power.grid.ppa]]\nmw = 5\nprice_usd_per_mwh = 30\n"
BACKUP = "\n[[power.grid.generation]]\nmw = 5\nfuel_usd_per_mwh = 90\n"
CAPPED = "\n[power.grid.carbon]\nkg_per_mwh = 400\ncap_tonnes_per_year = 2000\n"
PROGRAMME = "\n[[power.grid.programmes]]\nmw = 5\n"
COMMITMENT = PROGRAMME + "commitment = true\nusd_per_mwh = 5\n"
EMERGENCY = "\n[power.grid.emergency]\nhours_per_year = 20\n"
POOL = """
[uptime.components.block]
unit_mw = 5.0
failures_per_year = 0.1
hours_to_repair = 4.0
[uptime.subsystems.blocks]
level = "site"
components = ["block"]
pooled = true
[sites.north.plant.blocks]
component = "block"
units = 8
"""


def told(tmp_path: Path, more: str, text: str = INSTANCE) -> list[tuple[str, str, str]]:
    _, problems = examine(write_folder(tmp_path / "i", text + more))
    return [(p.severity, p.key, p.message) for p in problems]


@pytest.mark.parametrize(
    ("toml", "severity", "key", "words"),
    [
        (AGREEMENT + 'until = "2026-01"\n', "warning", "power.grid.ppa.0", "does not run within"),
        (AGREEMENT + 'from = "2031-01"\n', "warning", "power.grid.ppa.0", "does not run within"),
        (AGREEMENT + 'from = "2028-01"\nuntil = "2027-01"\n', "error", "power.grid.ppa.0.until",
         "ends before it begins"),
        (AGREEMENT + 'unused = "lost"\nsale_fee_usd_per_mwh = 2\n', "warning",
         "power.grid.ppa.0.sale_fee_usd_per_mwh", "nothing is sold back"),
        (AGREEMENT + 'unused = "thrown"\n', "error", "power.grid.ppa.0.unused",
         "none of the words allowed"),
        (AGREEMENT.replace("mw = 5", "mw = -5"), "error", "power.grid.ppa.0.mw", "range"),
        (AGREEMENT + "buyer = 1\n", "error", "power.grid.ppa.0.buyer", "unknown key"),
        (AGREEMENT + 'unused = "lost"\n' + POOL, "error", "power.grid.ppa", "plant mining shares"),
        (PROGRAMME, "error", "power.grid.programmes.0", "nothing says what the programme pays"),
        (PROGRAMME + "usd_per_mwh = 5\n" + AGREEMENT, "error", "power.grid.programmes",
         "beside agreements"),
        ("\n[[power.grid.generation]]\nmw = 5\nfuel_usd_per_mwh = 90\n" + POOL, "error",
         "power.grid.generation", "plant mining shares"),
        (PROGRAMME + "usd_per_mwh = 5\n" + POOL, "error", "power.grid.programmes",
         "plant mining shares"),
        (PROGRAMME + "usd_per_mwh = 5\ncalled_hours_per_year = 9\n", "error",
         "power.grid.programmes.0.called_hours_per_year", "without a commitment"),
        (COMMITMENT + PROGRAMME + "usd_per_mwh = 5\n", "error", "power.grid.programmes",
         "a commitment, beside a programme that pays for each hour"),
        (COMMITMENT + AGREEMENT, "error", "power.grid.programmes", "beside agreements"),
        (COMMITMENT + "\n[[power.grid.generation]]\nmw = 5\nfuel_usd_per_mwh = 90\n", "error",
         "power.grid.programmes", "beside agreements, generation"),
        (COMMITMENT + '\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "4cp"\n'
         "billing_floor_share = 0.5\n", "error", "power.grid.programmes", "or a floor"),
        (COMMITMENT + POOL, "error", "power.grid.programmes", "plant mining shares"),
        (COMMITMENT.replace("usd_per_mwh = 5\n", ""), "error", "power.grid.programmes.0",
         "nothing says what the programme pays"),
        (COMMITMENT + "called_hours_per_year = 9000\n", "error",
         "power.grid.programmes.0.called_hours_per_year", "range"),
        (EMERGENCY + "restart_hours = 2\n", "error", "power.grid.emergency.restart_hours",
         "cannot be told from steps"),
        (EMERGENCY + "events_per_year = 2\n", "error", "power.grid.emergency.events_per_year",
         "cannot be told from steps"),
        (EMERGENCY + "events_per_year = 21\n", "error", "power.grid.emergency.events_per_year",
         "more orders than hours"),
        (EMERGENCY + "notice_hours = 1\n", "error", "power.grid.emergency.notice_hours",
         "unknown key"),
        ("\n[power.grid.carbon]\nusd_per_tonne = 20\n", "error", "power.grid.carbon",
         "how much carbon a MWh holds"),
        (CAPPED + "[[power.grid.generation]]\nmw = 5\nfuel_usd_per_mwh = 90\n", "error",
         "power.grid.carbon.cap_tonnes_per_year", "whose carbon nothing states"),
        (CAPPED + POOL, "error", "power.grid.carbon.cap_tonnes_per_year", "plant mining shares"),
        (CAPPED + "\n[[power.grid.programmes]]\nmw = 5\nusd_per_mwh = 5\ncommitment = true\n",
         "error", "power.grid.carbon.cap_tonnes_per_year", "beside a commitment"),
        (CAPPED.replace("2000", "-1"), "error", "power.grid.carbon.cap_tonnes_per_year", "range"),
        ("\n[power.grid.carbon]\nkg_per_mwh = 400\n", "warning", "power.grid.carbon",
         "neither a price nor a cap"),
        (BACKUP + "hours_per_year_max = 100\n" + BACKUP + "hours_per_year_max = 50\n", "error",
         "power.grid.generation.1.hours_per_year_max", "a second limit on the energy of a year"),
        (BACKUP + "hours_per_year_max = 9000\n", "error",
         "power.grid.generation.0.hours_per_year_max", "range"),
        (BACKUP + "against_prices = false\n", "warning", "power.grid.generation.0.against_prices",
         "never runs"),
        (BACKUP + 'profile = "solar_share"\n', "error", "power.grid.generation.0.profile",
         "the price file has no such column"),
        ('\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "4cp"\n', "error",
         "power.grid.coincident_peak", "long steps of a price"),
        ('\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "4cp"\n'
         "billing_floor_share = 0.5\n" + AGREEMENT, "error",
         "power.grid.coincident_peak.billing_floor_share", "beside an agreement"),
        ('\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "4cp"\n'
         "billing_floor_share = 0.5\n" + POOL, "error",
         "power.grid.coincident_peak.billing_floor_share", "plant mining shares"),
        ('\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "5cp"\n', "error",
         "power.grid.coincident_peak.peaks", "none of the words allowed"),
    ],
)  # fmt: skip
def test_a_bill_that_does_not_fit_is_told(
    tmp_path: Path, toml: str, severity: str, key: str, words: str
) -> None:
    said = told(tmp_path, toml)
    assert any(s == severity and k == key and words in m for s, k, m in said), said


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ("energy_cap_mwh_per_year = 150", "energy_cap_mwh_per_year", "leaves hardly anything"),
        ("energy_cap_mwh_per_year = 1e9", "energy_cap_mwh_per_year", "has no effect"),
        ("ppa = [{mw = 5000, price_usd_per_mwh = 30}]", "ppa.0.mw", "than the site can draw"),
        ("generation = [{mw = 5000, fuel_usd_per_mwh = 30}]", "generation.0.mw",
         "than the site can draw"),
        ("emergency = {hours_per_year = 20, events_per_year = 3}", "emergency.hours_per_year",
         "rounded up"),
        ("carbon = {kg_per_mwh = 0.39, usd_per_tonne = 20}", "carbon.kg_per_mwh", "far from real"),
    ],
)  # fmt: skip
def test_a_unit_that_is_likely_another_is_doubted(
    tmp_path: Path, keys: str, key: str, words: str
) -> None:
    said = told(tmp_path, "", edited(FLAT, f"{FLAT}\n{keys}"))
    assert any(k == f"power.grid.{key}" and words in m for _, k, m in said), said


def test_carbon_told_twice_is_doubted(tmp_path: Path) -> None:
    curve = "month,hours,price_usd_per_mwh,carbon_kg_per_mwh\n" + "".join(
        f"{m},{24 * d},40,300\n"
        for m, d in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    )
    text = edited(FLAT, 'duration = "curve.csv"\ncarbon = {kg_per_mwh = 400, usd_per_tonne = 9}')
    _, problems = examine(write_folder(tmp_path / "i", text, curve_csv=curve))
    assert ("warning", "power.grid.carbon.kg_per_mwh") in [(p.severity, p.key) for p in problems]


def test_a_floor_without_a_charge_has_no_effect(tmp_path: Path) -> None:
    text = edited(FLAT, f"{FLAT}\nbilling_floor_share = 0.5")
    assert ("warning", "power.grid.billing_floor_share") in [
        (severity, key) for severity, key, _ in told(tmp_path, "", text)
    ]


def test_what_is_built_together_is_not_refused(tmp_path: Path) -> None:
    """On a flat price calls and emergencies take the same share of every month."""
    more = COMMITMENT + "called_hours_per_year = 10\n" + COMMITMENT + EMERGENCY
    said = told(tmp_path, more)
    assert [one for one in said if one[0] == "error"] == []


def test_restart_after_a_cut_needs_hours_that_follow_each_other(tmp_path: Path) -> None:
    text = edited(FLAT, f"{FLAT}\nrestart_hours = 2")
    assert ("warning", "power.grid.restart_hours") in [
        (severity, key) for severity, key, _ in told(tmp_path, "", text)
    ]
    curve = "month,hours,price_usd_per_mwh,cut\n" + "".join(
        f"{month},{hours},35,0\n{month},2,200,1\n"
        for month, hours in enumerate(
            (742, 670, 742, 718, 742, 718, 742, 742, 718, 742, 718, 742), 1
        )
    )
    text = edited(FLAT, 'duration = "curve.csv"\nrestart_hours = 2')
    _, problems = examine(write_folder(tmp_path / "curve", text, curve_csv=curve))
    assert [(p.severity, p.key) for p in problems if "after a cut" in p.message] == [
        ("error", "power.grid.restart_hours")
    ]


def test_a_bill_with_everything_is_read(tmp_path: Path) -> None:
    rows = "".join(
        f"{month},{hours},{price},{mark},{kg}\n"
        for month in range(1, 13)
        for hours, price, mark, kg in ((2, 200, 1, 500), ([740, 670][month == 2], 35, 0, 300))
    )
    curve = "month,hours,price_usd_per_mwh,peak,carbon_kg_per_mwh\n" + rows.replace(
        ",740,", ",742,"
    )
    for month in (4, 6, 9, 11):
        curve = curve.replace(f"\n{month},742,", f"\n{month},718,")
    text = edited(FLAT, 'duration = "curve.csv"\ndemand_charge_usd_per_kw_month = 4\n'
                        "billing_floor_share = 0.5")  # fmt: skip
    more = ('\n[power.grid.coincident_peak]\nusd_per_kw_year = 60\npeaks = "12cp"\n'
            "[power.grid.carbon]\nusd_per_tonne = 20\n" + AGREEMENT)  # fmt: skip
    folder = write_folder(tmp_path / "i", text + more, curve_csv=curve)
    loaded = load(folder)
    assert isinstance(loaded.instance, Instance)
    hours = loaded.hours["grid"]
    assert hours.peak is not None
    assert hours.peak.sum() == 12
    assert hours.carbon_kg_per_mwh is not None
    assert set(hours.carbon_kg_per_mwh) == {300.0, 500.0}


@pytest.mark.parametrize(
    ("cell", "column"), [("2,200,maybe,500", "peak"), ("2,200,1,5000", "carbon_kg_per_mwh")]
)
def test_a_cell_that_cannot_be_read_is_named(tmp_path: Path, cell: str, column: str) -> None:
    curve = "month,hours,price_usd_per_mwh,peak,carbon_kg_per_mwh\n1," + cell + "\n"
    text = edited(FLAT, 'duration = "curve.csv"')
    _, problems = examine(write_folder(tmp_path / "i", text, curve_csv=curve))
    assert any(p.file == "curve.csv" and p.line == 2 and p.key == column for p in problems)
