"""The formulation page: everything has its entry, and its mathematics speaks of what exists."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

import models
from models.allocation import CASH_FLOWS, FAMILIES, SPENDING, Family
from models.decisions import DECISIONS
from models.given import LETTERS, Given
from models.instance import Instance
from models.relation import Relation
from optimizer.formulation import (
    VALUE,
    index_letters,
    is_number,
    page,
    planned_keys,
    subscript,
    symbol_of,
    told,
)

PAGE = page()
#: Symbols of everything given and decided, without indices, longest first.
SYMBOLS = sorted(
    {f.metadata["symbol"] for f in fields(Given)} - {""} | {d.symbol for d in DECISIONS},
    key=len,
    reverse=True,
)
#: What mathematics is written with: symbols, and what joins them.
JOINING = r"\\(?:sum|max|le|ge|frac|big|Big|text\{[^}]*\}|[,! \n])|[-+=/(),{}\s0-9]"
WRITTEN = re.compile(rf"(?:{JOINING}|{'|'.join(map(re.escape, SYMBOLS))})*")


def mathematics(text: str) -> list[str]:
    return re.findall(r"```math\n(.*?)\n```", text, re.DOTALL)


def without_indices(formula: str) -> str:
    """Drop subscripts, with one brace nested inside them."""
    return re.sub(r"_(\{(?:[^{}]|\{[^{}]*\})*\}|\\?\w)", "", formula)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_has_its_entry_with_mathematics(family: Family) -> None:
    entry = PAGE.split(f"\n### {family.name}\n")[1].split("\n### ")[0]
    assert mathematics(entry)
    assert "\nOver $`" in entry


def test_families_stand_in_the_order_of_the_allocation() -> None:
    required = PAGE.split("\n## What must hold\n")[1].split("\n## ")[0]
    assert re.findall(r"^### (.*)$", required, re.MULTILINE) == [f.name for f in FAMILIES]


@pytest.mark.parametrize("flow", [*SPENDING, *CASH_FLOWS, *VALUE], ids=lambda f: f.__qualname__)
def test_every_flow_has_mathematics(flow: object) -> None:
    assert mathematics(told(flow))  # type: ignore[arg-type]


def test_every_decision_has_its_entry() -> None:
    for decision in DECISIONS:
        assert f"| `{decision.name}` | {decision.unit} |" in PAGE
        assert decision.meaning in PAGE


def test_every_given_number_has_symbol_unit_index_and_meaning() -> None:
    for entry in fields(Given):
        assert entry.metadata["meaning"], entry.name
        if is_number(entry):
            assert entry.metadata["symbol"], entry.name
            expected = f"| $`{symbol_of(entry)}`$ | `{entry.name}` | {entry.metadata['unit']} |"
            assert expected in PAGE
            assert (
                ("{" in symbol_of(entry))
                or str(entry.type) == "float"
                or "[" not in str(entry.type)
            )


def test_a_ratio_has_no_unit_and_everything_else_has() -> None:
    ratios = {f.name for f in fields(Given) if is_number(f) and not f.metadata["unit"]}
    assert ratios == {
        "downtime_parts", "place_weight", "learning_weight", "option_weight", "pool_up",
        "discount_start", "discount_mid", "discount_end", "probability", "pue", "pue_peak",
        "price_growth", "exchange", "mining_ready", "due_share", "loan_interest", "loan_share",
        "loan_fee", "mining_share_min", "mining_share_max", "credit_share", "option_credit",
        "learning_credit", "tail_fees", "learning_tail", "billing_floor", "peak_floor", "ai_draw",
        "cloud_draw", "year_limit", "year_cap", "ai_sites_least", "ai_sites_most",
    }  # fmt: skip


def test_no_two_things_share_a_symbol_and_indices() -> None:
    written = [symbol_of(f) for f in fields(Given) if f.metadata["symbol"]]
    written += [d.symbol + subscript(d.letters) for d in DECISIONS]
    assert [symbol for symbol, count in Counter(written).items() if count > 1] == []


@pytest.mark.parametrize("formula", mathematics(PAGE))
def test_mathematics_speaks_only_of_what_is_given_and_decided(formula: str) -> None:
    left = without_indices(formula)
    read = WRITTEN.match(left)
    assert read is not None
    assert left[read.end() :] == ""


@pytest.mark.parametrize("formula", mathematics(PAGE))
def test_indices_are_letters_of_the_table(formula: str) -> None:
    known = {letter for letter, _ in LETTERS.values()} | {"m"}
    for inner in re.findall(r"_(\{(?:[^{}]|\{[^{}]*\})*\}|\w)", formula):
        plain = re.sub(r"\\text\{[^{}]*\}|\\[A-Za-z]+", "", inner)
        assert set(re.findall(r"[a-z]", plain)) <= known


def test_decisions_have_as_many_letters_as_indices() -> None:
    from tests.models.tiny import rich

    given = rich()
    for decision in DECISIONS:
        for index in decision.over(given):
            assert len(tuple(index)) == len(decision.letters), decision.name


def test_families_have_as_many_letters_as_indices() -> None:
    from tests.models.tiny import rich

    given = rich()
    for family in FAMILIES:
        assert isinstance(family.function, type(index_letters))
        assert family.function.__annotations__["return"] == Relation.__name__
        for index in family.over(given):
            assert len(tuple(index)) == len(family.letters), family.name


def test_what_is_refused_is_named() -> None:
    keys = [key for key, _ in planned_keys(Instance)]
    assert {
        "scenarios",
        "finance.tax",
        "commitments.ppas",
    } <= set(keys)
    assert len(keys) == len(set(keys))
    for key in keys:
        assert f"| `{key}` |" in PAGE


def test_choices_and_conventions_are_written_down() -> None:
    for heading in ("Conventions", "Choices", "What is given", "What is decided", "What is best"):
        assert f"\n## {heading}\n" in PAGE


def test_no_markup_is_left_over() -> None:
    assert ":math:" not in PAGE
    assert ".. math::" not in PAGE
    assert "``" not in PAGE.replace("```math", "").replace("```", "")


def test_the_page_is_fresh() -> None:
    written = Path(models.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert written == PAGE, "run `make docs`"
