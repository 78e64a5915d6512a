"""Exported models: names that can be read, and the same optimum in any solver's hands."""

from __future__ import annotations

import json
from pathlib import Path

import highspy
import pytest

from optimizer.cli import main
from optimizer.compiled import compile_case
from optimizer.export import LONGEST, Format, export, names
from optimizer.highs import Options
from optimizer.solve import solve
from tests.folders import write_folder
from tests.optimizer.rich_case import rich_case
from tests.optimizer.test_evaluate import THRIVING


def read(path: Path) -> highspy.Highs:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    assert solver.readModel(str(path)) == highspy.HighsStatus.kOk
    return solver


def test_an_exported_model_has_the_same_optimum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "thriving", THRIVING)
    main(["solve", str(folder), "--json", "--gap", "0", "--out", str(tmp_path / "run")])
    value = json.loads(capsys.readouterr().out)["value_musd"]
    for form in ("lp", "mps"):
        path = tmp_path / f"model.{form}"
        assert main(["export", str(folder), "--out", str(path), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        solver = read(path)
        solver.run()
        assert solver.getInfo().objective_function_value == pytest.approx(value, abs=1e-6)
        assert (said["format"], said["rows"], said["columns"]) == (
            form, solver.getNumRow(), solver.getNumCol(),
        )  # fmt: skip


def test_pinned_actions_are_in_the_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "thriving", THRIVING)
    mine = tmp_path / "mine.csv"
    mine.write_text("action,month,subject,to,amount\norder,2028-04,s21-lot,old:mine,1\n")
    out = tmp_path / "model.txt"
    arguments = ("--out", str(out), "--format", "lp", "--plan", str(mine), "--quiet")
    assert main(["export", str(folder), *arguments]) == 0
    assert "orders(2028_04,old.mine,s21_lot) = 1" in out.read_text()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("form", ["lp", "mps"])
def test_names_survive_in_a_rich_case(tmp_path: Path, form: Format) -> None:
    """HiGHS drops all names of a file where one does not suit it: none may be dropped."""
    case = rich_case()
    model = compile_case(case)
    path = tmp_path / f"rich.{form}"
    export(model, case.given.tree, path, form)
    solver = read(path)
    program = solver.getLp()
    assert (program.num_row_, program.num_col_) == model.matrix.shape
    assert "signing(2027_01,lease)" in program.col_names_
    assert "conversions(2027_01,w1.air,w1.ai.2n)" in program.col_names_
    assert "grid.interconnection(2027_01,west,b0)" in program.row_names_
    assert len(set(program.col_names_)) == program.num_col_
    assert len(set(program.row_names_)) == program.num_row_
    relaxed = solver.getLp()
    relaxed.integrality_ = []
    solver.passModel(relaxed)
    solver.run()
    bound = solve(case, Options(gap=1.0)).bound_musd
    assert bound is not None
    assert solver.getInfo().objective_function_value >= bound - 1e-6


def test_long_names_and_names_that_fall_together_stay_apart() -> None:
    tree = rich_case().given.tree
    long = "h" * 64
    place, other = f"{long}:{long}+{long}", f"{long}:{long}+{'i' * 64}"
    written = names(
        [
            ("conversions", (0, place, place)), ("conversions", (0, place, other)),
            ("orders", (0, "a-b:f", "k")), ("orders", (0, "a_b:f", "k")),
        ],
        tree,
    )  # fmt: skip
    assert len(set(written)) == 4
    assert max(map(len, written)) <= LONGEST
    assert written[2:] == ["orders(2027_01,a_b.f,k)", "orders(2027_01,a_b.f,k)~2"]


def test_a_file_that_is_there_is_replaced_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "thriving", THRIVING)
    out = tmp_path / "model.lp"
    out.write_text("mine")
    assert main(["export", str(folder), "--out", str(out)]) == 2
    assert out.read_text() == "mine"
    assert "--overwrite" in capsys.readouterr().err
    assert main(["export", str(folder), "--out", str(out), "--overwrite"]) == 0
    assert out.read_text().startswith("\\ File written by HiGHS")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
