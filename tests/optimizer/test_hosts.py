"""Which halls may serve which contract, and the one reason why not."""

from __future__ import annotations

import pytest

from models.hours import flat
from optimizer.case import Case, prepare
from optimizer.commands.check import who_may_serve
from optimizer.hosts import Host, hosts
from tests.models.tiny import LEASE, OWNED, PLANT, Typed, tiny


def seen(**changes: object) -> dict[tuple[str, str], str]:
    """Say of every contract and hall group from which state, or why not."""
    halls: Typed = {"old": {"site": "a", "count": 1, "it_mw": 4.0, "fitout": "mine",
                            "convertible": False}}  # fmt: skip
    case: Case = prepare(tiny(halls=halls, **changes), {"a": flat(40.0)})
    return {
        (host.contract, host.hall): host.why_not
        or ", ".join(filter(None, (f"{host.fitout}+{host.package}", host.needs)))
        for host in hosts(case)
    }


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (4, ["old:too dense", *("o:for b",) * 4, "h:ai+n1, line first"]),
        (5, ["old:too dense", "h:ai+n1, line first", "5 hall groups:for b"]),
    ],
)
def test_check_says_once_what_keeps_many_halls_from_a_contract(
    others: int, told: list[str]
) -> None:
    found = [
        Host("lease", "a", "old", "", "", "too dense", ""),
        *[Host("lease", "b", "o", "", "", "for b", "")] * others,
        Host("lease", "a", "h", "ai", "n1", "", "line first"),
    ]
    assert [f"{halls}:{words}" for halls, words in who_may_serve(found)] == told


def test_one_reason_may_keep_out_all_halls() -> None:
    found = [Host("lease", "b", "o", "", "", "for c", "")] * 6
    assert [(halls, str(words)) for halls, words in who_may_serve(found)] == [
        ("6 hall groups", "for c")
    ]


def test_a_hall_that_can_is_told_with_its_state() -> None:
    assert seen(contracts__lease=LEASE) == {
        ("lease", "h"): "ai+n1",
        ("lease", "old"): "cannot be fitted out for AI",
    }


def test_one_reason_stands_in_the_way() -> None:
    other = {"b": {"firm_mw": 1.0, "power": "a"}}
    told = {
        "for b": seen(sites=other, contracts__lease={**LEASE, "sites": ["b"]}),
        "needs cooling by air, has liquid": seen(contracts__lease={**LEASE, "cooling": "air"}),
        "takes racks up to 40 kW, the tenant's draw 90 kW": seen(
            fitouts__ai__kw_per_rack_max=40.0, contracts__lease={**LEASE, "kw_per_rack": 90.0}
        ),
        "holds none of its racks (gpu 100 kW)": seen(
            fitouts__ai__kw_per_rack_max=40.0, contracts__lease=OWNED
        ),
        "reaches 0.999 at best, 0.9999 is promised": seen(
            contracts__lease={**LEASE, "availability": 0.9999}
        ),
    }
    for reason, found in told.items():
        assert reason in found["lease", "h"], found


def test_what_uses_up_the_downtime_is_named() -> None:
    found = seen(uptime=PLANT, contracts__lease={**LEASE, "availability": 0.9999})["lease", "h"]
    assert found.startswith("reaches 0.9995 at best, 0.9999 is promised")
    assert "package 500 %" in found


def test_fibre_comes_first() -> None:
    line = {"site": "a", "adds_fibre": True, "capex_musd": 1.0, "months": 12, "life_months": 120}
    dark = seen(sites__a__fibre=False, contracts__lease=LEASE)
    lit = seen(sites__a__fibre=False, projects__line=line, contracts__lease=LEASE)
    assert dark["lease", "h"] == "ai+n1, fibre, which no project brings"
    assert lit["lease", "h"] == "ai+n1, line first"


def test_the_cheapest_package_that_keeps_the_promise_is_named() -> None:
    """Typed in any order; where halls stand with one that will do, that one."""
    gold = {"availability": 0.99999, "capex_usd_per_kw": 2000.0}
    fair = {"availability": 0.9999, "capex_usd_per_kw": 700.0}
    poor = {"availability": 0.99, "capex_usd_per_kw": 1.0}
    packages = {"n1": None, "gold": gold, "poor": poor, "fair": fair}
    assert seen(uptime__packages=packages, contracts__lease=LEASE)["lease", "h"] == "ai+fair"
    stands = {"site": "a", "count": 1, "it_mw": 4.0, "fitout": "ai", "package": "gold"}
    case: Case = prepare(
        tiny(uptime__packages=packages, contracts__lease=LEASE, fleet=[], halls={"h": stands}),
        {"a": flat(40.0)},
    )
    assert [host.package for host in hosts(case)] == ["gold"]
