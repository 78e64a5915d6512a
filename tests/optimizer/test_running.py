"""What keeps AI running, against a case on paper: outages, credits, designs, one more nine."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pandas as pd
import pytest

from models.derive.outages import Outages
from models.derive.reach import Bank, Reach
from models.hours import flat
from models.sla import Outage, breached_month, breached_year
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.plan import Tables, tables
from optimizer.screen.running import running
from optimizer.solve import Solved, solve
from tests.models.tiny import LEASE, PLANT, Typed, tiny
from tests.optimizer.plans import chain
from tests.optimizer.test_screen import section, shown

#: 2 MW for a year in a hall of 99.95 % that stops twice, on a chiller of 99.98 % and four hours.
SCHEDULE = [{"below": 0.99, "share": 0.3}, {"below": 0.999, "share": 0.1}]
YEAR: Typed = {**LEASE, "max_mw": 2.0, "sign_by": "2029-01", "start": "2029-01", "months": 12,
               "power_passed_through": True, "staff_usd_per_kw_month": 0.0}  # fmt: skip
PACKAGES: Typed = {"n1": {"availability": 0.9995, "capex_usd_per_kw": 0.0,
                          "outages_per_year": 2.0},
                   "n2": {"availability": 0.99995, "capex_usd_per_kw": 600.0}}  # fmt: skip

Told = tuple[Case, Solved, Tables]


def told(uptime: Typed | None = None, **changes: Any) -> Told:
    typed: Typed = {
        "horizon__periods": 1,
        "fleet": [],
        "uptime": {**PLANT, "packages": PACKAGES, **(uptime or {})},
        "sites__a": {"plant": {"cool": {"component": "chiller", "units": 1}}},
        "halls__h": {"count": 1, "fitout": "ai", "package": "n1"},
        "contracts": {"lease": {**YEAR, "credits": SCHEDULE}},
        **changes,
    }
    case = prepare(tiny(**typed), {"a": flat(40.0)})
    solved = solve(case, Options(gap=0.0))
    assert solved.status == "solved"
    return case, solved, tables(case, solved)


@cache
def paper() -> Told:
    return told()


def promise(table: Tables, contract: str = "lease") -> pd.Series[Any]:
    return table.uptime[table.uptime["contract"] == contract].iloc[0]


# --- outages -------------------------------------------------------------------------------


def test_outages_of_package_and_plant_add_up() -> None:
    """Twice a year the hall, 0.438 times the chiller: 8,760 hours, 0.02 % of them down, 4 each."""
    row = promise(paper()[2])
    down = 1 - 0.9995 * 0.9998
    outages = 2.0 * 0.9998 + 0.438 * 0.9995
    assert row["availability"] == pytest.approx(1 - down, abs=1e-12)
    assert row["down_minutes_per_year"] == pytest.approx(down * 525_600)
    assert row["outages_per_year"] == pytest.approx(outages)
    assert row["hours_each"] == pytest.approx(down * 8760 / outages)
    assert row["worst_month"] == "2029-01"
    shares = [math.log(a) / math.log(0.999) for a in (0.9995, 0.9998)]
    assert row["uses"] == f"package {100 * shares[0]:.0f} %, cool {100 * shares[1]:.0f} %"


def test_breaches_and_credits_follow_from_outages() -> None:
    row = promise(paper()[2])
    hall, chiller = Outage(2.0, 5e-4 * 8760 / 2.0), Outage(0.438, 4.0)
    # Each strikes while the other is up.
    both = [Outage(2.0 * 0.9998, hall.hours_each), Outage(0.438 * 0.9995, 4.0)]
    assert row["breached_month_probability"] == pytest.approx(breached_month(both, 0.999))
    assert row["breached_year_probability"] == pytest.approx(breached_year(both, 0.999))
    # Credits are counted part by part.
    month, worse = (
        breached_month([hall], below) + breached_month([chiller], below) for below in (0.999, 0.99)
    )
    assert row["credit_share"] == pytest.approx(0.1 * month + 0.2 * worse)
    # All parts together come to nearly the same.
    together = [breached_month(both, below) for below in (0.999, 0.99)]
    assert row["together_credit_share"] == pytest.approx(0.1 * together[0] + 0.2 * together[1])
    # 2 MW at 100 $ per kW and month.
    assert row["credit_musd_per_year"] == pytest.approx(row["credit_share"] * 2.4)


def test_the_value_counts_the_credits_that_are_expected() -> None:
    _, solved, table = paper()
    without = told(contracts={"lease": YEAR})
    assert without[1].value_musd is not None
    expected = without[1].value_musd - promise(table)["credit_musd_per_year"]
    assert solved.value_musd == pytest.approx(expected, rel=1e-9)
    row = promise(without[2])
    assert row["credit_share"] == 0.0
    assert row["credit_musd_per_year"] == 0.0


def test_nothing_is_said_of_outages_that_a_package_does_not_state() -> None:
    _, _, table = told({"packages": {"n1": {"availability": 0.9995}}})
    row = promise(table)
    unknown = ["outages_per_year", "hours_each", "breached_month_probability",
               "together_credit_share"]  # fmt: skip
    assert row[unknown].isna().all()
    # What is known is counted: the chiller's.
    chiller = [breached_month([Outage(0.438, 4.0)], below) for below in (0.999, 0.99)]
    assert row["credit_share"] == pytest.approx(0.1 * chiller[0] + 0.2 * chiller[1])
    assert "state no outages_per_year" in shown(*running(table, 100))


def test_a_contract_that_promises_nothing_counts_on_no_spare() -> None:
    """Units that stand have to carry it, and nobody asks how often they do."""
    none = {**YEAR, "availability": 0.0, "min_mw": 0.5, "max_mw": 0.5}
    _, _, short = told(contracts={"lease": YEAR, "free": none})
    assert short.uptime[short.uptime["contract"] == "free"].empty
    units = {"cool": {"component": "chiller", "units": 2}}
    _, _, table = told(contracts={"lease": YEAR, "free": none}, sites__a__plant=units)
    row = promise(table, "free")
    assert row["promised"] == 0.0
    assert math.isnan(row["next_nine"])
    assert set(table.designs.loc[table.designs["contract"] == "free", "level"]) == {"hall"}


FEED: Typed = {
    "components": {
        "grid": {"failures_per_year": 1.0, "hours_to_repair": 2.0},
        "diesel": {"unit_mw": 1.0, "availability": 0.995, "hours_to_repair": 18.0,
                   "start_failure_share": 0.0094, "hours_to_failure": 1100.0},
    },
    "subsystems": {
        "slow": {"level": "site", "components": ["diesel"], "feed": "grid"},
        "power": {"level": "site", "components": ["diesel"], "feed": "grid",
                  "ride_through_seconds": 60.0},
    },
}  # fmt: skip


#: A generator does not run at the end of two hours; by its own fault, or by one they share.
FAILED = 1 - 0.995 * (1 - 0.0094) * math.exp(-2 / 1100)
ONE_OF_TWO = 0.05 * FAILED + (1 - 0.05 * FAILED) * (1 - (1 - 0.95 * FAILED) ** 2)


@pytest.mark.parametrize(
    ("bank", "share"),
    [
        (Bank("power", (), 0), 1.0),
        (Bank("slow", (("diesel", 4),), 2), 1.0),
        (Bank("power", (("diesel", 2),), 2), ONE_OF_TWO),
        (Bank("power", (("diesel", 1),), 2), 1.0),
    ],
)  # fmt: skip
def test_outages_of_a_feed_are_those_not_bridged(bank: Bank, share: float) -> None:
    reach = Reach(tiny(uptime=FEED))
    outages = 8760 / (8760 + 2.0)
    found = Outages(reach).bank(bank)
    assert found.outages_per_year == pytest.approx(outages * share)
    assert found.hours_each is not None
    assert found.hours_each * found.outages_per_year == pytest.approx(found.unavailability * 8760)
    if not bank.counts:
        # Two hours without power, and one until AI runs again.
        assert found.hours_each == pytest.approx(3.0)


# --- designs and one more nine -------------------------------------------------------------


def test_designs_tell_units_load_and_share_of_the_downtime() -> None:
    table = paper()[2].designs.set_index("subsystem")
    cool = table.loc["cool"]
    assert (cool["level"], cool["units"], cool["needed"]) == ("site", "1 chiller", 1)
    assert (cool["it_mw"], cool["carries_mw"]) == (2.0, 2.0)
    assert cool["outages_per_year"] == pytest.approx(0.438)
    assert cool["hours_each"] == pytest.approx(4.0)
    assert cool["budget_share"] == pytest.approx(math.log(0.9998) / math.log(0.999))
    assert (table.loc["package"]["units"], table.loc["package"]["hall"]) == ("n1", "h")


def test_one_more_nine_takes_the_better_package_and_a_second_chiller() -> None:
    """99.99 %: 600 $/kW on 2 MW, and a chiller of 2 MW at 400 $/kW."""
    row = promise(paper()[2])
    assert row["next_nine"] == 0.9999
    assert row["next_nine_musd"] == pytest.approx(1.2 + 0.8)
    assert row["next_nine_usd_per_kw"] == pytest.approx(1000.0)
    assert row["next_nine_how"] == "n2; cool: 2 chiller for 1"
    assert row["best_availability"] == pytest.approx((1 - 4e-8) * 0.99995, abs=1e-12)


def test_one_more_nine_out_of_reach_says_what_stands_in_its_way() -> None:
    row = promise(told({"packages": {"n1": {"availability": 0.9995}, "n2": None}})[2])
    assert row["next_nine"] == 0.9999
    assert math.isnan(row["next_nine_musd"])
    assert row["next_nine_how"] == (
        "out of reach: best 99.949 %; of the downtime allowed package 500 %"
    )


def test_one_more_nine_that_is_kept_costs_nothing() -> None:
    row = promise(told(contracts={"lease": {**YEAR, "availability": 0.99}})[2])
    assert (row["next_nine"], row["next_nine_musd"]) == (0.999, 0.0)
    assert row["next_nine_how"] == "kept already"


HALL: Typed = {
    "packages": None,
    "components": {"ups": {"unit_mw": 1.0, "failures_per_year": 0.1, "hours_to_repair": 20.0,
                           "common_cause_share": 0.01, "maintenance_hours_per_year": 8.0,
                           "capex_usd_per_kw": 300.0}},
    "subsystems": {"cool": None, "power": {"level": "hall", "components": ["ups"]}},
}  # fmt: skip


def test_halls_made_of_components_tell_their_banks() -> None:
    case = told(
        {**PLANT, **HALL}, sites__a={"plant": None}, horizon__periods=2,
        halls__h={"count": 1, "fitout": None, "package": None},
        contracts={"lease": {**YEAR, "start": "2030-01", "sign_by": "2029-06", "months": 120,
                             "rate_usd_per_kw_month": 300.0}},
    )  # fmt: skip
    table = case[2]
    row, part = promise(table), table.designs.iloc[0]
    assert (part["subsystem"], part["level"], part["hall"]) == ("power", "hall", "h")
    assert part["units"] == f"{part['installed']} ups"
    assert part["needed"] == 2
    assert row["outages_per_year"] == pytest.approx(part["outages_per_year"])
    assert row["package"] == f"power{part['installed'] - 2}"


def test_one_more_nine_of_halls_that_stand_is_an_upgrade() -> None:
    """A module more where three stand: nobody buys the others again, or sells them."""
    units = {"power": {"component": "ups", "units": 3}}
    hall = {**HALL, "packages": {"old": {"units": units}, "n1": None}}
    _, _, table = told(
        {**PLANT, **hall}, sites__a={"plant": None}, uptime__packages__n1=None,
        halls__h={"count": 1, "fitout": "ai", "package": "old"},
        contracts={"lease": {**YEAR, "availability": 0.99997}},
    )  # fmt: skip
    row = promise(table)
    assert (row["package"], row["next_nine_how"]) == ("old", "power2")
    assert row["next_nine"] == pytest.approx(0.999997)
    # A module of 1 MW at 300 $/kW.
    assert row["next_nine_musd"] == pytest.approx(0.3)


def test_one_more_nine_of_a_hall_that_may_not_change_is_out_of_reach() -> None:
    _, _, table = told(halls__h={"count": 1, "fitout": "ai", "package": "n1",
                                 "convertible": False})  # fmt: skip
    row = promise(table)
    assert math.isnan(row["next_nine_musd"])
    assert "out of reach" in row["next_nine_how"]
    assert "n2" not in row["next_nine_how"]


def test_one_more_nine_counts_what_the_load_needs_and_what_people_err() -> None:
    """Two megawatts take a chiller and a spare, not half a plant; people are as they are."""
    crew = {**PLANT, "packages": PACKAGES}
    crew = {**crew, "components": {**crew["components"], "people": {
                "availability": 0.99995, "hours_to_repair": 1.0}},
            "subsystems": {**crew["subsystems"], "crew": {
                "level": "company", "components": ["people"]}}}  # fmt: skip
    row = promise(told(crew)[2])
    # 5e-5 of the package, 5e-5 of the people and a spare chiller are more than 1e-4.
    assert "out of reach" in row["next_nine_how"]
    assert "crew 50 %" in row["next_nine_how"]


# --- the screen ----------------------------------------------------------------------------


def test_the_section_reads_on_a_hundred_columns() -> None:
    from optimizer.screen import screen

    case, solved, table = paper()
    text = shown(screen(case, solved, table))
    lines = section(text, "What keeps AI running")
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert lines[2].split() == [
        "lease", "h", "99.9", "%", "99.93", "%", "368", "of", "526", *lines[2].split()[9:]
    ]  # fmt: skip
    assert "package 50 %, cool 20 %" in text
    assert "1 chiller" in text
    assert "+2.0 M$ (+1,000 $/kW): n2; cool: 2 chiller for 1" in text
    share = promise(table)["credit_share"]
    assert f"credits of {2.4 * share:.3g} M$ are expected until the horizon" in text


def test_credits_are_money_that_goes() -> None:
    from optimizer.screen import screen

    dear = {"lease": {**YEAR, "credits": [{"below": 0.999, "share": 1.0}]}}
    case, solved, table = told(contracts=dear)
    text = shown(screen(case, solved, table))
    (line,) = [line for line in text.splitlines() if line.startswith("service credits")]
    paid = table.finance["service_credits_musd"].sum()
    assert paid > 0.05
    assert line.split()[-1] in (f"-{paid:.1f}", f"\u2212{paid:.1f}")


def test_a_plan_without_promises_has_no_such_section() -> None:
    from optimizer.screen import screen

    case, solved, table = told(contracts={})
    assert "What keeps AI running" not in shown(screen(case, solved, table))


def test_parts_of_a_design_use_up_what_the_promise_loses() -> None:
    """Logarithms of availability add up, over the hall's parts and the plant's in that period."""
    table = chain()[2]
    for row in table.uptime[table.uptime["promised"] > 0].to_dict(orient="records"):
        own = table.designs[(table.designs["contract"] == row["contract"])
                            & (table.designs["site"] == row["site"])
                            & (table.designs["hall"].isin((row["hall"], "")))
                            & (table.designs["month_first"] <= row["worst_month"])
                            & (table.designs["month_last"] >= row["worst_month"])]  # fmt: skip
        lost = math.log(row["availability"]) / math.log(row["promised"])
        assert own["budget_share"].sum() == pytest.approx(lost, rel=1e-9)
        assert row["best_availability"] >= row["availability"] * (1 - 1e-12)


def test_a_plant_that_grows_is_told_by_its_periods() -> None:
    """Two MW of the signed contract need one chiller until others join it, and then two."""
    designs = chain()[2].designs
    plant = designs[(designs["level"] == "site") & (designs["contract"] == "signed")]
    assert list(plant["units"]) == ["2 chiller", "2 chiller"]
    assert list(plant["needed"]) == [1, 2]
    assert list(plant["month_first"]) == ["2027-07", "2028-01"]
    assert list(plant["month_last"]) == ["2027-07", "2029-07"]
