"""What a file of a base says, and what it does not."""

from pathlib import Path

import pytest

from models.instance import TABLES
from optimizer.load.tables import PATHS, SOURCES
from optimizer.sweep.meaning import SHEETS, meaning
from optimizer.sweep.points import Base
from tests.optimizer.sweep import fakes

TOML = b"""\
[sites.a]
firm_mw = 5  # at the gate
fibre = true

[sites.b]
firm_mw = 7.0
"""
SITES = b"name,firm_mw\na,5\nb,7\n"


@pytest.mark.parametrize(
    "data",
    [
        TOML.replace(b"  # at the gate", b""),
        TOML.replace(b" = ", b"="),
        TOML.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf# mine\n\n" + TOML,
        b'sites.a = { firm_mw = 5, "fibre" = true }\nsites.b.firm_mw = 7.0\n',
    ],
)
def test_comments_and_blanks_say_nothing(data):
    assert meaning("instance.toml", data) == meaning("instance.toml", TOML)


@pytest.mark.parametrize(
    "data",
    [
        TOML.replace(b"5", b"6"),
        TOML.replace(b"5", b"5.0"),
        TOML.replace(b"true", b"1"),
        TOML.replace(b"firm_mw = 5", b'firm_mw = "5"'),
        TOML + b"# [",
        TOML[TOML.index(b"[sites.b]") :] + TOML[: TOML.index(b"[sites.b]")],
        TOML + b"[sites",
        b"",
    ],
)  # fmt: skip
def test_values_types_names_and_their_order_do(data):
    same = data.startswith(TOML) and data.endswith(b"# [")
    assert (meaning("instance.toml", data) == meaning("instance.toml", TOML)) is same


def test_tables_are_their_cells_and_prices_their_bytes():
    spaced = b"name, firm_mw\n\n a,5\r\nb , 7\n"
    assert meaning("sites.csv", spaced) == meaning("sites.csv", SITES)
    assert meaning("sites.csv", SITES.replace(b"7", b"7.0")) != meaning("sites.csv", SITES)
    assert meaning("sites.csv", SITES + b"c\n") != meaning("sites.csv", SITES)
    rows = SITES.splitlines(keepends=True)
    assert meaning("sites.csv", rows[0] + rows[2] + rows[1]) != meaning("sites.csv", SITES)
    assert meaning("mine.csv", spaced) != meaning("mine.csv", SITES)
    assert meaning("prices/sites.csv", spaced) != meaning("prices/sites.csv", SITES)


def test_tables_are_those_that_an_instance_may_have():
    assert {*(f"{table}.csv" for table in TABLES), PATHS, SOURCES} == SHEETS
    broken = b'name,"firm\na,5\n'
    assert meaning("sites.csv", broken) != meaning("sites.csv", broken + b"\n")


def test_every_file_of_a_base_counts_towards_its_version():
    base = Base({"instance.toml": TOML, "sites.csv": SITES, "hours.csv": b"1"}, fakes.OPTIONS)

    def version(**files):
        changed = {**base.files, **{name.replace("_", "."): data for name, data in files.items()}}
        return Base(changed, base.options).version(fakes.VERSIONS)

    assert version(instance_toml=b"# mine\n" + TOML) == version()
    others = [
        version(instance_toml=TOML.replace(b"5", b"6")),
        version(sites_csv=SITES.replace(b"5", b"6")),
        version(hours_csv=b"1 "),
        version(more_csv=b"1"),
    ]  # fmt: skip
    assert len({version(), *others}) == 5


def test_shipped_instances_say_the_same_without_their_comments():
    for path in sorted((Path(__file__).parents[3] / "instances").glob("*/instance.toml")):
        lines = path.read_bytes().splitlines(keepends=True)
        bare = b"".join(line for line in lines if not line.startswith(b"#"))
        assert meaning(path.name, bare) == meaning(path.name, path.read_bytes())
