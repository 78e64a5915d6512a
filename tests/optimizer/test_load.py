"""Folders that load: what comes out, and where it says it came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from models.instance import Growth, Step
from optimizer.load import Catalogue, load
from optimizer.load.toml import lines_of
from tests.folders import INSTANCE, edited, line_of, write_folder

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ercot"


# --- two ways of writing -------------------------------------------------------------------

TYPED = """\
[instance]
name = "both"

[horizon]
start = "2027-01"
periods = 4
months_per_period = 3

[finance]
discount_per_year = 0.1
opening_cash_musd = 20

[bitcoin]
hashprice_usd_per_ph_day = 45

[power.grid]
flat_usd_per_mwh = 40

[uptime.packages.n-plus-1]
availability = 0.9995
"""

AS_TOML = """
[machines.s21]
th_per_s = 200
watt = 3500
price_usd_per_th = 14
cooling = "air"
life_months = 60
resale_usd_per_th = [{ from = "2027-01", value = 5 }, { from = "2028-01", value = 3 }]

[racks.lot]
workload = "mining"
machine = "s21"
machines_per_rack = 280
buyable = false

[racks.gpu]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 72
kw = 132
price_usd = 3000000
life_months = 60
resale_usd = { start = 2000000, growth_per_month = -0.02 }

[racks.gpu.converts_to]
rack = "next"
cost_usd = 1000

[racks.next]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 72
kw = 140
price_usd = 4000000
life_months = 60

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
life_months = 240

[sites.north]
firm_mw = [{ from = "2027-01", value = 12 }, { from = "2028-01", value = 20 }]
power = "grid"

[sites.south]
firm_mw = 5
interruptible_mw = 5
power = "grid"
fibre = false

[projects.shed]
site = "south"
adds_halls = { hall = "new", count = 2 }
capex_musd = 1.5
months = 6
life_months = 240

[halls.old]
site = "north"
count = 2
it_mw = 5
fitout = "mine"
fitouts = ["mine", "ai"]

[halls.new]
site = "south"
count = 0
it_mw = 2.5
package = "n-plus-1"
fitout = "ai"

[[fleet]]
hall = "old"
rack = "lot"
racks = 8
age_months = 12

[[fleet]]
hall = "old"
rack = "lot"
racks = 1

[contracts.lease]
racks_by = "owner"
racks = ["gpu"]
min_mw = 0.5
max_mw = 3
ramp = [{ after_months = 0, share = 0.5 }, { after_months = 6, share = 1.0 }]
credits = [{ below = 0.9, share = 0.3 }, { below = 0.99, share = 0.1 }]
sign_by = "2027-04"
start = "2027-07"
months = 60
rate_usd_per_gpu_hour = 2.5
availability = 0.99
sites = ["north", "south"]
"""

AS_CSV = {
    "machines_csv": "name,th_per_s,watt,price_usd_per_th,cooling,life_months,resale_usd_per_th\n"
    "s21,200,3500,14,air,60,resale\n",
    "racks_csv": "name,workload,machine,machines_per_rack,buyable,cooling,gpus_per_rack,kw,"
    "price_usd,life_months,resale_usd.start,resale_usd.growth_per_month,converts_to.rack,"
    "converts_to.cost_usd\n"
    "lot,mining,s21,280,false,,,,,,,,,\n"
    "gpu,ai,,,,liquid,72,132,3000000,60,2e6,-0.02,next,1000\n"
    "next,ai,,,,liquid,72,140,4000000,60,,,,\n",
    "fitouts_csv": "name,workload,cooling,it_share_of_present,capex_usd_per_kw,works_months,pue,"
    "life_months\nmine,mining,air,1.0,350,6,1.05,120\nai,ai,liquid,0.7,7500,12,1.15,240\n",
    "sites_csv": "name,firm_mw,interruptible_mw,power,fibre\n"
    "north,2027-01:12;2028-01:20,,grid,\nsouth,5,5,grid,false\n",
    "projects_csv": "name,site,adds_halls.hall,adds_halls.count,capex_musd,months,life_months\n"
    "shed,south,new,2,1.5,6,240\n",
    "halls_csv": "name,site,count,it_mw,fitout,fitouts,package\n"
    'old,north,2,5,mine,"mine; ai",\nnew,south,0,2.5,ai,,n-plus-1\n',
    "fleet_csv": "hall,rack,racks,age_months\nold,lot,8,12\nold,lot,1,\n",
    "contracts_csv": "name,racks_by,racks,min_mw,max_mw,ramp,credits,sign_by,start,months,"
    "rate_usd_per_gpu_hour,availability,sites\n"
    "lease,owner,gpu,0.5,3,0:0.5;6:1,0.99:0.1;0.9:0.3,2027-04,2027-07,60,2.5,0.99,north;south\n",
    "paths_csv": "month,resale\n2027-01,5\n2027-06,\n2028-01,3\n",
}


def test_both_ways_of_writing_give_the_same_instance(tmp_path: Path) -> None:
    typed = load(write_folder(tmp_path / "toml", TYPED + AS_TOML))
    tables = load(write_folder(tmp_path / "csv", TYPED, **AS_CSV))
    assert tables.instance == typed.instance
    assert tables.instance.model_dump_json() == typed.instance.model_dump_json()


def test_line_ends_of_windows_and_a_mark_at_the_start_change_nothing(tmp_path: Path) -> None:
    plain = load(write_folder(tmp_path / "plain", TYPED, **AS_CSV))
    marked = {
        name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
        for name, text in AS_CSV.items()
    }
    toml = b"\xef\xbb\xbf" + TYPED.replace("\n", "\r\n").encode()
    assert load(write_folder(tmp_path / "marked", toml, **marked)).instance == plain.instance


# --- where things stand --------------------------------------------------------------------


def test_every_key_says_where_it_was_typed(tmp_path: Path) -> None:
    loaded = load(write_folder(tmp_path, TYPED, **AS_CSV))
    assert loaded.where("finance.opening_cash_musd") == ("instance.toml", 11)
    assert loaded.where("halls.new.it_mw") == ("halls.csv", 3)
    assert loaded.where("fleet.1.racks") == ("fleet.csv", 3)
    assert loaded.where("machines.s21.resale_usd_per_th.1.value") == ("paths.csv", 4)
    assert loaded.where("finance.overhead_musd_per_year") == ("instance.toml", 9)
    assert loaded.where("nothing.of.the.kind") == ("instance.toml", None)


LINES: dict[str, tuple[str, dict[tuple[str | int, ...], int]]] = {
    "dotted keys": ("a.b = 1\na.c.d = 2", {("a",): 1, ("a", "b"): 1, ("a", "c", "d"): 2}),
    "quoted keys": ("[x.\"a.b\"]\n'c d' = 1", {("x", "a.b"): 1, ("x", "a.b", "c d"): 2}),
    "escaped keys": ('"a\\u0062" = 1', {("ab",): 1}),
    "lists": ("a = [ # one\n 1,\n [2,\n 3]]", {("a", 0): 2, ("a", 1): 3, ("a", 1, 1): 4}),
    "inline tables": ("a = { b = 1, c = { d = 2 } }", {("a", "b"): 1, ("a", "c", "d"): 1}),
    "lists of tables": (
        "[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\nb = 3",
        {("a", 0): 1, ("a", 0, "c", "d"): 4, ("a", 1, "b"): 6},
    ),
    "text with brackets": ('a = "[x]\\" = {" # ]\nb = \'[\'\nc = 1', {("b",): 2, ("c",): 3}),
    "text of many lines": ('a = """\n[x]\n"b" = 2\n"""\nb = 1', {("a",): 1, ("b",): 5}),
    "literal text of many lines": ("a = '''\n[x]\n''''\nb = 1", {("a",): 1, ("b",): 4}),
    "dates with a space": ("a = 2027-01-01 00:00:00\nb = 1", {("b",): 2}),
    "carriage returns": ("a = 1\r\n\r\nb = 2\r\n", {("b",): 3}),
}


@pytest.mark.parametrize(("text", "lines"), LINES.values(), ids=LINES.keys())
def test_lines_of_keys(text: str, lines: dict[tuple[str | int, ...], int]) -> None:
    found = lines_of(text)
    assert {key: found.get(key) for key in lines} == lines


def test_no_key_is_found_that_was_not_typed() -> None:
    assert set(lines_of('[a]\nb = "c = 1 # d"\n# e = 2')) == {("a",), ("a", "b")}


# --- files ---------------------------------------------------------------------------------


def test_every_file_is_told_with_its_hash(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, TYPED, **AS_CSV)
    loaded = load(folder)
    assert loaded.files == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    assert loaded.folder == folder


def test_sources_are_read_and_compared_with_the_instance(tmp_path: Path) -> None:
    rows = (
        "key,value,unit,source,remark\n"
        "halls.old.it_mw,5,MW,annual report,\n"
        "halls.old.count,3,halls,annual report,\n"
        "halls.odl.count,4,halls,annual report,\n"
        "sites.north.firm_mw,12,MW,,\n"
    )
    loaded = load(write_folder(tmp_path, sources_csv=rows))
    assert (loaded.sources[0].key, loaded.sources[0].source) == (
        "halls.old.it_mw",
        "annual report",
    )
    assert [(p.line, p.message.split(";")[0]) for p in loaded.warnings] == [
        (3, "the value is not that of the instance, which is 4"),
        (4, "the instance has no such key"),
        (5, "the row names no source"),
    ]
    assert "halls.old.rack_positions" in loaded.unsourced()
    assert "halls.old.it_mw" not in loaded.unsourced()


def test_a_file_that_nothing_reads_is_told(tmp_path: Path) -> None:
    (warning,) = load(write_folder(tmp_path, notes_csv="a,b\n")).warnings
    assert (warning.file, warning.message) == ("notes.csv", "nothing reads this file")


# --- paths ---------------------------------------------------------------------------------


def test_a_path_may_be_named_from_toml(tmp_path: Path) -> None:
    toml = edited("{ start = 45, growth_per_month = -0.005 }", '"hash"')
    loaded = load(write_folder(tmp_path, toml, paths_csv="month,hash\n2027-01,45\n2027-02,44\n"))
    assert loaded.instance.bitcoin.hashprice_usd_per_ph_day == [
        Step.model_validate({"from": "2027-01", "value": 45.0}),
        Step.model_validate({"from": "2027-02", "value": 44.0}),
    ]


def test_a_path_that_nobody_names_is_told(tmp_path: Path) -> None:
    (warning,) = load(write_folder(tmp_path, paths_csv="month,hash\n2027-01,45\n")).warnings
    assert (warning.file, warning.key) == ("paths.csv", "hash")


# --- catalogues ----------------------------------------------------------------------------

SHELVES = {
    "machines.toml": """
[s21]
th_per_s = 200
watt = 3500
price_usd_per_th = 14
cooling = "air"
life_months = 60
[s21.sources]
watt = "maker"
""",
    "racks.toml": """
[lot]
workload = "mining"
machine = "s21"
machines_per_rack = 280
[gpu]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 8
kw = 10
life_months = 60
converts_to = { rack = "gpu-new", cost_usd = 5 }
[gpu-new]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 8
kw = 12
life_months = 60
""",
    "fitouts.toml": """
[mine]
workload = "mining"
cooling = "air"
it_share_of_present = 1.0
capex_usd_per_kw = 350
works_months = 6
pue = 1.05
life_months = 120
""",
    "power.toml": '[ercot]\nduration = "ercot.csv"\nadder_usd_per_mwh = 8\n',
    "packages.toml": "[2n]\navailability = 0.9999\n",
    "ercot.csv": "month,hours,price_usd_per_mwh\n"
    + "".join(f"{m},{h},25\n" for m, h in enumerate(
        (744, 672, 744, 720, 744, 720, 744, 744, 720, 744, 720, 744), 1)),
}  # fmt: skip

SHORT = """\
[instance]
name = "short"
[horizon]
start = "2027-01"
periods = 4
months_per_period = 3
[finance]
discount_per_year = 0.1
opening_cash_musd = 20
[bitcoin]
hashprice_usd_per_ph_day = 45
[sites.west]
firm_mw = 10
power = "ercot"
[halls.one]
site = "west"
count = 2
it_mw = 4
fitout = "mine"
[[fleet]]
hall = "one"
rack = "lot"
racks = 6
"""


@pytest.fixture
def shelves(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    for name, text in SHELVES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Catalogue.read(folder)


def test_what_is_named_is_brought_along(shelves: Catalogue, tmp_path: Path) -> None:
    loaded = load(write_folder(tmp_path / "short", SHORT), catalogue=shelves)
    assert set(loaded.instance.racks) == {"lot"}
    assert loaded.instance.machines["s21"].watt == 3500
    assert loaded.instance.fitouts["mine"].pue == 1.05
    assert loaded.hours["ercot"].price_usd_per_mwh.tolist() == [25.0] * 12
    assert loaded.where("machines.s21.watt") == ("instance.toml", line_of('rack = "lot"', SHORT))


def test_every_figure_that_nobody_typed_is_listed(shelves: Catalogue, tmp_path: Path) -> None:
    loaded = load(write_folder(tmp_path / "short", SHORT), catalogue=shelves)
    defaults = {default.key: default for default in loaded.defaults}
    assert defaults["machines.s21.watt"].source == "catalogue machines/s21: maker"
    assert defaults["machines.s21.th_per_s"].source == "catalogue machines/s21"
    assert defaults["power.ercot.adder_usd_per_mwh"].value == 8
    assert defaults["bitcoin.pool_fee_share"].source == "format"
    assert "halls.one.it_mw" not in defaults


def test_a_site_finds_the_supply_of_its_own_name(shelves: Catalogue, tmp_path: Path) -> None:
    toml = edited('power = "ercot"\n', "", SHORT).replace("west", "ercot")
    loaded = load(write_folder(tmp_path / "short", toml), catalogue=shelves)
    assert set(loaded.instance.power) == {"ercot"}


def test_what_an_entry_names_is_brought_along(shelves: Catalogue, tmp_path: Path) -> None:
    toml = SHORT + '[racks.ours]\nuse = "gpu"\n'
    loaded = load(write_folder(tmp_path / "short", toml), catalogue=shelves)
    assert set(loaded.instance.racks) == {"lot", "ours", "gpu-new"}


def test_a_key_beside_use_overrides(shelves: Catalogue, tmp_path: Path) -> None:
    toml = SHORT + '[machines.s21]\nuse = "s21"\nth_per_s = 210\n'
    loaded = load(write_folder(tmp_path / "short", toml), catalogue=shelves)
    assert loaded.instance.machines["s21"].th_per_s == 210
    assert loaded.instance.machines["s21"].watt == 3500
    assert "machines.s21.th_per_s" not in {default.key for default in loaded.defaults}


OVERRIDES: dict[str, tuple[str, str, str]] = {
    "efficiency for draw":
        ('[machines.s21]\nuse = "s21"\nj_per_th = 18\n', "machines.s21", "watt"),
    "flat for a curve": ('[power.ercot]\nuse = "ercot"\nflat_usd_per_mwh = 30\n', "power.ercot",
        "duration"),
    "area for a share": ('[fitouts.mine]\nuse = "mine"\nm2_per_mw = 100\n', "fitouts.mine",
        "it_share_of_present"),
    "GPUs for machines":
        ('[racks.gp]\nuse = "lot"\nworkload = "ai"\ncooling = "liquid"\ngpus_per_rack = 8\n'
        "kw = 10\nlife_months = 60\n", "racks.gp", "machine"),
}  # fmt: skip


@pytest.mark.parametrize(("more", "block", "gone"), OVERRIDES.values(), ids=OVERRIDES.keys())
def test_an_override_takes_away_what_it_excludes(
    more: str, block: str, gone: str, shelves: Catalogue, tmp_path: Path
) -> None:
    toml = SHORT.replace("it_mw = 4", "it_mw = 4\nfloor_m2 = 400") + more
    loaded = load(write_folder(tmp_path / "short", toml), catalogue=shelves)
    table, name = block.split(".")
    assert getattr(getattr(loaded.instance, table)[name], gone) is None


def test_a_key_inside_a_nested_table_overrides(shelves: Catalogue, tmp_path: Path) -> None:
    toml = SHORT + '[racks.ours]\nuse = "gpu"\nconverts_to.cost_usd = 7\n'
    converts = load(write_folder(tmp_path / "s", toml), catalogue=shelves).instance.racks["ours"]
    assert converts.converts_to is not None
    assert (converts.converts_to.rack, converts.converts_to.cost_usd) == ("gpu-new", 7)


def test_a_table_may_use_entries(shelves: Catalogue, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "short", SHORT, machines_csv="name,use,watt,j_per_th\ns21,s21,,19\n"
    )
    machine = load(folder, catalogue=shelves).instance.machines["s21"]
    assert (machine.watt, machine.j_per_th, machine.th_per_s) == (None, 19.0, 200)


def test_a_package_may_be_used(shelves: Catalogue, tmp_path: Path) -> None:
    toml = SHORT + '[uptime.packages]\ngood = { use = "2n", capex_usd_per_kw = 900 }\n'
    packages = load(write_folder(tmp_path / "s", toml), catalogue=shelves).instance.uptime.packages
    assert (packages["good"].availability, packages["good"].capex_usd_per_kw) == (0.9999, 900)


FIVE_SITES = """\
[instance]
name = "five"

[horizon]
start = "2027-01"
periods = 8
months_per_period = 3

[finance]
discount_per_year = 0.12
opening_cash_musd = 60
capex_budget_musd = 200

[bitcoin]
hashprice_usd_per_ph_day = { start = 40, growth_per_month = -0.005 }

[sites]
childress = { firm_mw = 60, interruptible_mw = 40, power = "ercot-hub-2024" }
rockdale = { firm_mw = 40, power = "ercot-hub-2023" }
quebec = { firm_mw = 50, power = "quebec-large-power" }
boden = { firm_mw = 30, power = "sweden-se1-2023" }
drumheller = { firm_mw = 40, power = "alberta-2024" }

[halls]
ch = { site = "childress", count = 4, it_mw = 20, fitout = "mining-air" }
ro = { site = "rockdale", count = 2, it_mw = 18, fitout = "mining-air" }
qc = { site = "quebec", count = 2, it_mw = 22, fitout = "mining-air" }
bo = { site = "boden", count = 1, it_mw = 25, fitout = "mining-air" }
dr = { site = "drumheller", count = 2, it_mw = 18, fitout = "mining-air" }

[fitouts]
ai-liquid.use = "ai-liquid"

[uptime.packages]
n-plus-1.use = "n-plus-1"
"""

FIVE_FLEETS = """hall,rack,racks,age_months
ch,s19j-pro-lot,70,24
ro,s19j-pro-lot,30,30
qc,s19j-pro-lot,40,30
bo,s19j-pro-lot,20,30
dr,s19j-pro-lot,30,36
"""


def test_five_sites_take_fewer_than_sixty_lines(tmp_path: Path) -> None:
    assert len((FIVE_SITES + FIVE_FLEETS).splitlines()) <= 60
    loaded = load(write_folder(tmp_path, FIVE_SITES, fleet_csv=FIVE_FLEETS))
    assert set(loaded.hours) == {site.power for site in loaded.instance.sites.values()}
    assert not [problem for problem in loaded.warnings if problem.severity == "error"]


# --- prices --------------------------------------------------------------------------------


def written(
    start: datetime, hours: int, change: Callable[[datetime], datetime] = lambda time: time
) -> str:
    """Write hourly prices that tell their hour: 20 $/MWh plus the hour of the day."""
    rows = [change(start + timedelta(hours=hour)) for hour in range(hours)]
    lines = [f"{time.isoformat(' ')},{20 + time.hour}" for time in rows]
    return "\n".join(["time,price_usd_per_mwh", *lines]) + "\n"


WITH_FILE = edited("flat_usd_per_mwh = 40", 'prices = "grid.csv"')
CENTRAL = timezone(timedelta(hours=-6))


def test_hours_of_a_year_weigh_one_each(tmp_path: Path) -> None:
    text = written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760)
    hours = load(write_folder(tmp_path, WITH_FILE, grid_csv=text)).hours["grid"]
    assert len(hours) == 8760
    assert hours.weight_h.tolist() == [1.0] * 8760
    assert np.bincount(hours.month).tolist()[1:3] == [744, 672]
    assert hours.source == "grid.csv, 2023-01 to 2023-12, 8760 hours"


def test_hours_weigh_less_the_more_years_hold_their_month(tmp_path: Path) -> None:
    """Two years and the first quarter of a third: each month weighs as one month."""
    text = written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760 + 8784 + 2160)
    hours = load(write_folder(tmp_path, WITH_FILE, grid_csv=text)).hours["grid"]
    by_month = np.bincount(hours.month, weights=hours.weight_h)
    assert by_month[1] == pytest.approx(744)
    assert by_month[2] == pytest.approx((672 + 696 + 672) / 3)
    assert by_month[12] == pytest.approx(744)


def test_the_hours_of_a_clock_change_are_real_hours(tmp_path: Path) -> None:
    """March of a zone with summer time has 743 hours, November 721, as its clocks say."""

    def clock(time: datetime) -> datetime:
        spring = datetime(2023, 3, 12, 8, tzinfo=timezone.utc)  # noqa: UP017
        autumn = datetime(2023, 11, 5, 7, tzinfo=timezone.utc)  # noqa: UP017
        offset = -5 if spring <= time < autumn else -6
        return time.astimezone(timezone(timedelta(hours=offset)))

    text = written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760, clock)
    hours = load(write_folder(tmp_path, WITH_FILE, grid_csv=text)).hours["grid"]
    assert np.bincount(hours.month).tolist()[3] == 743
    assert np.bincount(hours.month).tolist()[11] == 721


def test_hours_in_which_load_is_cut(tmp_path: Path) -> None:
    rows = written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760).splitlines()
    marked = [f"{rows[0]},cut", *(f"{row},{int(n == 5)}" for n, row in enumerate(rows[1:]))]
    hours = load(write_folder(tmp_path, WITH_FILE, grid_csv="\n".join(marked))).hours["grid"]
    assert np.flatnonzero(hours.cut).tolist() == [5]


def test_a_site_takes_prices_of_its_own(tmp_path: Path) -> None:
    toml = INSTANCE + '\n[sites.south]\nfirm_mw = 1\npower = "grid"\n'
    other = tmp_path / "other.csv"
    other.write_text(written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760), encoding="utf-8")
    loaded = load(write_folder(tmp_path / "folder", toml), {"south": other})
    assert loaded.instance.sites["south"].power == "south"
    assert loaded.instance.power["south"].adder_usd_per_mwh == 8
    assert len(loaded.hours["south"]) == 8760
    assert len(loaded.hours["grid"]) == 12
    assert loaded.where("power.south.prices")[0] == "--prices south=other.csv"
    assert "south=other.csv" in loaded.files


def test_prices_take_the_place_of_a_supply_that_is_a_sites_own(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760), encoding="utf-8")
    loaded = load(write_folder(tmp_path / "folder"), {"north": other})
    assert set(loaded.instance.power) == {"grid"}
    assert (len(loaded.hours["grid"]), loaded.warnings) == (8760, ())


def test_own_prices_of_a_site_whose_name_is_another_sites_supply(tmp_path: Path) -> None:
    toml = INSTANCE.replace('"grid"', '"south"').replace("power.grid", "power.south")
    other = tmp_path / "other.csv"
    other.write_text(written(datetime(2023, 1, 1, tzinfo=CENTRAL), 8760), encoding="utf-8")
    folder = write_folder(tmp_path / "folder", toml + "\n[sites.south]\nfirm_mw = 1\n")
    loaded = load(folder, {"south": other})
    assert loaded.instance.sites["south"].power == "south-prices"
    assert len(loaded.hours["south"]) == 12


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real price files lie outside the project")
@pytest.mark.parametrize(
    ("year", "rows", "mean"),
    [(2021, 8760, 145.62), (2022, 8760, 64.31), (2023, 8760, 55.94), (2024, 8784, 28.09)],
)
def test_real_years_load(year: int, rows: int, mean: float, tmp_path: Path) -> None:
    file = SHARED / f"ERCOT_HB_HUBAVG_DAM_{year}.csv"
    hours = load(write_folder(tmp_path), {"north": file}).hours["grid"]
    assert len(hours) == rows
    assert np.average(hours.price_usd_per_mwh, weights=hours.weight_h) == pytest.approx(
        mean, abs=0.01
    )


def test_growth_stays_growth(tmp_path: Path) -> None:
    path = load(write_folder(tmp_path)).instance.bitcoin.hashprice_usd_per_ph_day
    assert path == Growth(start=45, growth_per_month=-0.005)
