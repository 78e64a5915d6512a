"""Instance folders for tests: a small valid one, and ways to change it in one place.

``write_folder(tmp_path)`` writes a folder that loads; keyword arguments name files to add,
replace or leave out. ``edited(old, new)`` is its ``instance.toml`` with one piece of text changed.
"""

from __future__ import annotations

from pathlib import Path

#: One Texan site that mines by air, and may turn to AI; it needs no catalogue.
INSTANCE = """\
[instance]
name = "small"

[horizon]
start = "2027-01"
periods = 8
months_per_period = 3

[finance]
discount_per_year = 0.1
opening_cash_musd = 20
capex_budget_musd = 60

[finance.capex_budget_by_site_musd]
north = 60

[bitcoin]
hashprice_usd_per_ph_day = { start = 45, growth_per_month = -0.005 }

[machines.s21]
th_per_s = 200
j_per_th = 17.5
price_usd_per_th = 14
cooling = "air"
life_months = 60
resale_usd_per_th = 5

[racks.s21-lot]
workload = "mining"
machine = "s21"
machines_per_rack = 280
delivery_months = 3

[racks.gpu]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 72
kw = 132
price_usd = 3_000_000
delivery_months = 6
life_months = 60
resale_usd = [{ from = "2027-01", value = 2_500_000 }, { from = "2028-06", value = 1e6 }]

[fitouts.mine]
workload = "mining"
cooling = "air"
it_share_of_present = 1.0
capex_usd_per_kw = 350
works_months = 6
pue = 1.05
life_months = 120

[fitouts.ai]
workload = "ai"
cooling = "liquid"
it_share_of_present = 0.7
capex_usd_per_kw = 7500
works_months = 12
pue = 1.15
pue_peak = 1.4
kw_per_rack_max = 150
life_months = 240

[uptime.packages.n-plus-1]
availability = 0.9995
capex_usd_per_kw = 700

[sites.north]
firm_mw = 12
interruptible_mw = 10
power = "grid"

[projects.line]
site = "north"
adds_firm_mw = 10
capex_musd = 8
months = 12
life_months = 360

[halls.old]
site = "north"
count = 4
it_mw = 5
rack_positions = 8
fitout = "mine"

[[fleet]]
hall = "old"
rack = "s21-lot"
racks = 14
age_months = 12

[power.grid]
flat_usd_per_mwh = 40
adder_usd_per_mwh = 8

[contracts.lease]
racks_by = "tenant"
min_mw = 2
max_mw = 8
sign_by = "2027-04"
start = "2028-07"
months = 120
rate_usd_per_kw_month = 140
power_passed_through = true
availability = 0.999
sites = ["north"]

[[commitments.debt]]
name = "note"
month = "2027-06"
principal_musd = 2

[policy]
mining_share_min = 0.1
"""


def edited(old: str, new: str, text: str = INSTANCE) -> str:
    """Change one piece of the text, which must stand in it exactly once."""
    found = text.count(old)
    if found != 1:
        raise ValueError(f"{old!r} stands {found} times in the text")
    return text.replace(old, new)


def write_folder(folder: Path, toml: str | bytes | None = INSTANCE, **files: str | bytes) -> Path:
    """Write an instance folder and return it.

    Parameters
    ----------
    folder : Path
        Where to write; made if it is not there.
    toml : str, bytes or None
        ``instance.toml``; None leaves it out.
    **files : str or bytes
        Further files; ``halls_csv="..."`` writes ``halls.csv``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = dict(files)
    if toml is not None:
        contents["instance_toml"] = toml
    for name, content in contents.items():
        path = folder / name.replace("_csv", ".csv").replace("_toml", ".toml")
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
    return folder


def line_of(piece: str, text: str = INSTANCE) -> int:
    """Give the line on which a piece of text first stands."""
    return text[: text.index(piece)].count("\n") + 1
