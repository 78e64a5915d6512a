"""The generated pages: true to the format, and told when they are stale."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from models.instance import Instance
from optimizer import pages
from optimizer.keys import keys_of, kinds_of
from optimizer.load import load
from optimizer.schema import schema
from tests.folders import INSTANCE, edited, write_folder
from tests.optimizer.plans import chain

PROJECT = Path(__file__).parents[2]


def test_the_example_loads(tmp_path: Path) -> None:
    loaded = load(write_folder(tmp_path, pages.EXAMPLE))
    assert [p for p in loaded.warnings if "lead time" not in p.message] == []
    assert loaded.instance.fitouts["ai"].works_months == 15


def test_every_key_has_a_row_or_is_told_as_not_built(tmp_path: Path) -> None:
    text = pages.readme(tmp_path)
    for name, kind in kinds_of(Instance).items():
        for key in kinds_of(kind.block) if kind.block else [name]:
            assert f"`{key}`" in text or f".{key}" in text, key


def test_every_number_says_what_it_means() -> None:
    for kind in kinds_of(Instance).values():
        for name, info in keys_of(kind.block).items() if kind.block else ():
            assert info.description or kinds_of(kind.block)[name].block, name  # type: ignore[arg-type]


def test_stored_results_are_tabulated(tmp_path: Path) -> None:
    (tmp_path / "texas").mkdir()
    result = {
        "value_musd": 1234.5,
        "root_gap": 0.0123,
        "gap": 0.00004,
        "columns": 5000,
        "rows": 900,
    }
    (tmp_path / "texas" / "result.json").write_text(json.dumps(result), encoding="utf-8")
    row = "| [texas](texas/README.md) | 1,234.50 | 1.23% | 0.004% | 5,000 | 900 |"
    assert row in pages.readme(tmp_path)


def test_a_result_without_a_root_gap_leaves_its_cell_empty(tmp_path: Path) -> None:
    (tmp_path / "texas").mkdir()
    (tmp_path / "texas" / "result.json").write_text('{"value_musd": 1}', encoding="utf-8")
    assert "| [texas](texas/README.md) | 1.00 |  |  |  |  |" in pages.readme(tmp_path)


# --- the schema ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checker() -> jsonschema.Draft202012Validator:
    page = schema()
    jsonschema.Draft202012Validator.check_schema(page)
    return jsonschema.Draft202012Validator(page)


GOOD = {
    "a whole instance": INSTANCE,
    "an instance from catalogues": pages.EXAMPLE,
    "a path by name": edited("resale_usd_per_th = 5", 'resale_usd_per_th = "resale"'),
    "halls in a table": edited(
        '[halls.old]\nsite = "north"\ncount = 4\nit_mw = 5\nrack_positions = 8\nfitout = "mine"\n',
        "",
    ),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_the_schema_lets_pass(text: str, checker: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in checker.iter_errors(tomllib.loads(text))] == []


BAD = {
    "an unknown key": edited("it_mw = 5", "it_mww = 5"),
    "a missing key": edited("th_per_s = 200\n", ""),
    "text for a number": edited("it_mw = 5", 'it_mw = "5"'),
    "a share above one": edited("mining_share_min = 0.1", "mining_share_min = 10"),
    "an unknown word": edited('cooling = "air"\nlife', 'cooling = "wind"\nlife'),
    "what is not built": edited("opening_cash_musd = 20", "opening_cash_musd = 20\ntax = 0.2"),
    "an unknown entry": edited("th_per_s = 200\n", 'use = "antminer-s211"\n'),
    "an entry where there is none": edited(
        'site = "north"\ncount', 'use = "x"\nsite = "north"\ncount'
    ),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_the_schema_refuses(text: str, checker: jsonschema.Draft202012Validator) -> None:
    assert not checker.is_valid(tomllib.loads(text))


# --- staleness -----------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house of our own, so that a run writes nothing into the project."""
    (tmp_path / "instances").mkdir()
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(pages.app, [*arguments])
    return result.exit_code, result.output


def test_stale_pages_are_named_and_then_written(house: Path) -> None:
    code, said = run("--check")
    assert (code, "instances/README.md is stale" in said) == (1, True)
    assert run() == (0, "")
    assert run("--check") == (0, "")
    (house / "instances" / "schema.json").write_text("{}", encoding="utf-8")
    code, said = run("--check")
    assert (code, said.split()[0]) == (1, "instances/schema.json")


def test_every_column_of_a_plan_is_told() -> None:
    page = (PROJECT / "instances" / "README.md").read_text(encoding="utf-8")
    told = page[page.index("## Tables of a plan") :]
    _, _, tables = chain()
    untold = [
        f"{name}.{column}"
        for name, table in tables.items()
        for column in table.columns
        if f"`{column}`" not in told
    ]
    assert untold == []
