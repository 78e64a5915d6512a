"""The command line: every command, every exit code earned by a case, stdout kept pure."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optimizer.solve
from optimizer.cli import GRIDS, main
from optimizer.commands.stopping import ABANDONED, HEARD
from optimizer.init import templates
from tests.folders import edited, line_of, write_folder

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "solve", "check", "evaluate", "prices", "init", "export", "verdict", "explain",
    "alternatives", "compare", "doctor", "sweep",
)  # fmt: skip

#: Costs of 30 M$ a year that nothing can pay.
BROKE = edited("opening_cash_musd = 20", "opening_cash_musd = 20\noverhead_musd_per_year = 30")
#: Racks that cost less than they are sold for, at once and without a budget.
MONEY_PUMP = edited(
    "price_usd_per_th = 14", "price_usd_per_th = 4",
    edited("delivery_months = 3", "delivery_months = 0",
           edited("[finance.capex_budget_by_site_musd]\nnorth = 60\n", "",
                  edited("capex_budget_musd = 60\n", ""))),
)  # fmt: skip
#: A lease that is signed already, so that doing nothing breaks it.
PROMISED = edited(
    "[policy]", '[[commitments.contracts]]\ncontract = "lease"\nmw = 3\n\n[policy]',
    edited("opening_cash_musd = 20", "opening_cash_musd = 60"),
)  # fmt: skip
#: A price that is finite, meant, and far beyond what can be reckoned with.
HUGE = edited(
    "price_usd = 3_000_000", "price_usd = 3e19",
    edited('name = "small"', 'name = "small"\naccept_unusual = ["racks.gpu.price_usd"]'),
)  # fmt: skip
#: Two halls of 1 MW that hold two racks of 0.6 MW and one of 0.5 MW by their sums only.
CROWDED = """\
[instance]
name = "crowded"

[horizon]
start = "2027-01"
periods = 2
months_per_period = 12

[finance]
discount_per_year = 0.1
opening_cash_musd = 60

[bitcoin]
hashprice_usd_per_ph_day = 45

[racks.large]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 350
kw = 600
price_usd = 7_000_000
life_months = 60

[racks.small]
workload = "ai"
cooling = "liquid"
gpus_per_rack = 200
kw = 500
price_usd = 4_000_000
life_months = 60

[fitouts.ai]
workload = "ai"
cooling = "liquid"
it_share_of_present = 1.0
capex_usd_per_kw = 7500
works_months = 12
pue = 1.2
life_months = 240

[sites.north]
firm_mw = 4

[halls.twins]
site = "north"
count = 2
it_mw = 1
fitout = "ai"
convertible = false

[power.north]
flat_usd_per_mwh = 30

[gpu_cloud.large]
price_usd_per_gpu_hour = 2
utilisation_share = 0.9

[gpu_cloud.small]
price_usd_per_gpu_hour = 2
utilisation_share = 0.9
"""


@dataclass(frozen=True)
class Said:
    """What a command returned and said."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        assert self.out.count("\n") == 1
        return found


Command = Callable[..., Said]


@pytest.fixture
def rackwatt(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "small")


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# --- help ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(rackwatt: Command, command: str) -> None:
    said = rackwatt(command, "--help")
    assert said.code == 0
    assert "Examples" in said.out
    assert f"rackwatt {command} " in said.out.split("Examples")[1] + " "
    assert "--json" in said.out
    assert not said.err


def test_help_lists_every_command_and_no_other(rackwatt: Command) -> None:
    said = rackwatt("--help")
    listed = re.findall(r"^│ ([a-z]+) ", said.out.split("Commands")[1], re.M)
    assert tuple(listed) == COMMANDS


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from optimizer.cli import main; code = main(['--help']); "
        "heavy = {'pyomo', 'pandas', 'numpy', 'highspy', 'pydantic', 'scipy'} & set(sys.modules); "
        "print(heavy, file=sys.stderr); sys.exit(code or bool(heavy))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


def test_version(rackwatt: Command) -> None:
    assert re.fullmatch(r"rackwatt \S.*\n", rackwatt("--version").out)


# --- solve ---------------------------------------------------------------------------------


def test_solve_shows_a_plan_and_writes_a_run(rackwatt: Command, small: Path) -> None:
    said = rackwatt("solve", small)
    assert said.code == 0
    runs = list(Path("runs").iterdir())
    assert len(runs) == 1
    assert re.fullmatch(r"small-[0-9a-f]{8}", runs[0].name)
    assert f"run written to runs/{runs[0].name}" in said.err
    assert "came from catalogues and defaults; manifest.json lists them" in said.err
    assert "run written" not in said.out
    assert "figures came from" not in said.out
    assert "audit passed" in said.out
    plan = json.loads((runs[0] / "plan.json").read_text())
    assert f"value {plan['value_musd']:.1f} M$" in said.out


def test_solve_json_is_one_object(rackwatt: Command, small: Path) -> None:
    said = rackwatt("solve", small, "--json", "--out", "here")
    assert said.code == 0
    answer = said.object
    assert answer["status"] == "solved"
    assert answer["out"] == "here"
    assert answer["bound_musd"] >= answer["value_musd"] - 1e-9
    assert 0 <= answer["gap"] <= 1e-4
    manifest = json.loads(Path("here/manifest.json").read_text())
    assert manifest["value_musd"] == pytest.approx(answer["value_musd"], abs=1e-9)


def test_a_run_is_not_overwritten_unasked(rackwatt: Command, small: Path) -> None:
    first = rackwatt("solve", small, "--json")
    manifest = Path(first.object["out"]) / "manifest.json"
    before = manifest.stat().st_mtime_ns
    second = rackwatt("solve", small, "--json")
    assert second.code == 2
    assert second.object["status"] == "usage"
    assert "--overwrite" in second.err
    assert manifest.stat().st_mtime_ns == before
    assert rackwatt("solve", small, "--json", "--overwrite").object["out"] == first.object["out"]
    assert manifest.stat().st_mtime_ns > before


def test_the_run_folder_follows_input_and_options(rackwatt: Command, small: Path) -> None:
    names = {
        rackwatt("solve", small, "--json", *options).object["out"]
        for options in ((), ("--gap", "0.01"), ("--seed", "3"), ("--time-limit", "60"))
    }
    (small / "instance.toml").write_text(edited("it_mw = 5", "it_mw = 5.5"))
    names.add(rackwatt("solve", small, "--json").object["out"])
    assert len(names) == 5


@pytest.mark.parametrize("taken", ["file", "folder"])
def test_out_that_is_no_run_is_left_alone(rackwatt: Command, small: Path, taken: str) -> None:
    place = Path("taken")
    if taken == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine.txt").write_text("mine")
    before = listing(Path())
    assert rackwatt("solve", small, "--out", "taken", "--overwrite").code == 2
    assert listing(Path()) == before


def test_quiet_says_nothing_on_stderr(rackwatt: Command, small: Path) -> None:
    assert rackwatt("solve", small, "--quiet").err == ""


def test_a_plain_terminal_shows_what_it_can(small: Path, tmp_path: Path) -> None:
    plain = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "optimizer.cli", "solve", str(small), "--quiet"]
    found = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True)
    assert found.returncode == 0, found.stderr
    assert b"audit passed" in found.stdout
    assert found.stdout.isascii()
    assert found.stderr == b""


def test_prices_replace_those_of_a_site(rackwatt: Command, small: Path) -> None:
    hours = np.arange("2025-01-01T00", "2026-01-01T00", dtype="datetime64[h]")
    lines = [f"{hour}:00Z,20" for hour in hours.astype(str)]
    Path("cheap.csv").write_text("\n".join(["time,price_usd_per_mwh", *lines]) + "\n")
    before = rackwatt("solve", small, "--json").object
    after = rackwatt("solve", small, "--json", "--prices", "north=cheap.csv").object
    assert after["status"] == "solved"
    assert after["value_musd"] > before["value_musd"] + 1
    assert after["out"] != before["out"]
    shown = rackwatt("solve", small, "--prices", "north=cheap.csv", "--overwrite").out
    assert "prices of north are those of cheap.csv, in place of the instance's" in shown


def test_pinned_actions_are_obeyed(rackwatt: Command, small: Path) -> None:
    rows = "action,month,subject,from,to,amount\nsell,2027-07,s21-lot,old:mine,,14\n"
    (small / "actions.csv").write_text(rows)
    free = rackwatt("solve", small, "--json").object
    by_option = rackwatt("solve", small, "--json", "--plan", small / "actions.csv").object
    (small / "instance.toml").write_text(
        edited("mining_share_min = 0.1", 'mining_share_min = 0.1\npin = "actions.csv"')
    )
    by_policy = rackwatt("solve", small, "--json").object
    assert by_option["value_musd"] < free["value_musd"] - 0.1
    assert by_policy["value_musd"] == pytest.approx(by_option["value_musd"], abs=1e-9)
    actions = (Path(by_policy["out"]) / "actions.csv").read_text()
    assert "sell,2027-07,2,north,s21-lot,old:mine,,14,racks" in actions


# --- exit codes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "options", "status", "code"),
    [
        (BROKE, (), "infeasible", 4),
        (PROMISED, ("--time-limit", "1e-6"), "no-plan", 6),
    ],
)
def test_without_a_plan_nothing_is_written(
    rackwatt: Command, tmp_path: Path, toml: str, options: tuple[str, ...], status: str, code: int
) -> None:
    folder = write_folder(tmp_path / "case", toml)
    _nothing_is_written(rackwatt, folder, options, status, code)


def test_a_model_without_a_limit_is_unbounded(
    rackwatt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Racks that fetch more than they cost are no pump, unless the row that says so is missing."""
    folder = write_folder(tmp_path / "case", MONEY_PUMP)
    assert rackwatt("solve", folder, "--out", tmp_path / "run").code == 0
    monkeypatch.setattr("models.derive.racks._racks_landing", lambda *_: ())
    _nothing_is_written(rackwatt, folder, (), "unbounded", 5)


def _nothing_is_written(
    rackwatt: Command, folder: Path, options: tuple[str, ...], status: str, code: int
) -> None:
    before = listing(folder.parent)
    said = rackwatt("solve", folder, *options)
    assert said.code == code
    assert said.out
    answered = rackwatt("solve", folder, "--json", *options)
    assert answered.code == code
    assert answered.object["status"] == status
    assert answered.object["value_musd"] is None
    assert answered.object["out"] is None
    assert listing(folder.parent) == before


def test_an_infeasible_case_names_what_would_have_to_give(
    rackwatt: Command, tmp_path: Path
) -> None:
    said = rackwatt("solve", write_folder(tmp_path / "broke", BROKE), "--json")
    keys = {clash["key"] for clash in said.object["clashes"]}
    assert "finance.minimum_cash_musd" in keys
    assert all(clash["amount"] > 0 and clash["months"] for clash in said.object["clashes"])


def test_the_promise_can_be_kept_with_time(rackwatt: Command, tmp_path: Path) -> None:
    """The case that has no plan in no time has one."""
    said = rackwatt("solve", write_folder(tmp_path / "case", PROMISED), "--json")
    assert said.code == 0
    assert said.object["nothing_musd"] is None


def test_a_plan_that_fails_its_audit_is_kept_aside(
    rackwatt: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "crowded", CROWDED)
    repaired = rackwatt("solve", folder, "--json", "--out", "repaired")
    assert repaired.code == 0
    monkeypatch.setattr(optimizer.solve, "ROUNDS", 0)
    said = rackwatt("solve", folder, "--json", "--out", "failed")
    assert said.code == 7
    assert said.object["status"] == "audit-failed"
    assert any("halls.split" in breach for breach in said.object["breaches"])
    assert not Path("failed/plan.json").exists()
    assert Path("failed/rejected/plan.json").exists()
    assert said.object["value_musd"] > repaired.object["value_musd"]


def test_a_refused_folder_writes_nothing_and_shows_no_traceback(
    rackwatt: Command, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "bad", edited("it_mw = 5", "it_mww = 5"))
    before = listing(tmp_path)
    for command in ("solve", "check"):
        said = rackwatt(command, folder)
        assert said.code == 3
        assert said.out == ""
        assert "did you mean `it_mw`?" in said.err
        assert "Traceback" not in said.err
        problems = rackwatt(command, folder, "--json").object["problems"]
        assert problems[0]["key"] == "halls.old.it_mww"
    assert listing(tmp_path) == before


def test_numbers_beyond_reckoning_are_refused_by_their_key(
    rackwatt: Command, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "huge", HUGE)
    for command, more in (("solve", ()), ("export", ("--out", "huge.lp"))):
        said = rackwatt(command, folder, "--json", *more)
        assert said.code == 3
        (problem,) = said.object["problems"]
        assert problem["key"] == "racks.gpu.price_usd"
        assert problem["line"] == line_of("price_usd = 3e19", HUGE)
    assert not Path("huge.lp").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("solve",),
        ("solve", "small", "--gap", "nan"),
        ("solve", "small", "--gap", "-1"),
        ("solve", "small", "--time-limit", "inf"),
        ("solve", "small", "--threads", "0"),
        ("solve", "small", "--nonsense"),
        ("solve", "small", "--prices", "north"),
        ("solve", "small", "--prices", "north=a.csv", "--prices", "north=b.csv"),
        ("evaluate", "small"),
        ("export", "small", "--out", "model.txt"),
        ("export", "small", "--out", "nowhere/model.lp"),
        ("init", "new", "--grid", "atlantis"),
        ("init", "small", "--grid", "ercot"),
        ("swoop", "small"),
        ("sweep", "small"),
    ],
)
def test_a_mistaken_command_is_a_usage_error(
    rackwatt: Command, small: Path, arguments: tuple[str, ...]
) -> None:
    before = listing(Path())
    said = rackwatt(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err
    assert "Traceback" not in said.err
    assert listing(Path()) == before


def test_a_defect_is_told_calmly(
    rackwatt: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("optimizer.commands.solve.solve", broken)
    said = rackwatt("solve", small)
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "ZeroDivisionError" in said.err
    assert "rackwatt doctor" in said.err
    assert rackwatt("solve", small, "--json").object["status"] == "defect"
    monkeypatch.setenv("RACKWATT_DEBUG", "1")
    assert "Traceback" in rackwatt("solve", small).err
    assert not Path("runs").exists()


def test_out_that_cannot_be_written_is_no_defect(rackwatt: Command, small: Path) -> None:
    Path("file").write_text("")
    said = rackwatt("solve", small, "--out", "file/run")
    assert said.code == 2
    assert "file" in said.err


# --- Ctrl-C --------------------------------------------------------------------------------


def until(terminal: int, words: bytes, *, seconds: float) -> bytes:
    """Read a terminal until words appear, or its other end closes."""
    seen, end = b"", time.monotonic() + seconds
    while words not in seen and time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                chunk = os.read(terminal, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
    return seen


def test_ctrl_c_in_a_terminal_gives_the_best_plan_so_far(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "optimizer.cli", "solve", str(ROOT / "instances/texas"),
               "--gap", "0", "--out", str(tmp_path / "run")]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}
    solving = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path,
        env=environment, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    try:
        assert b"M$" in until(ours, b"M$", seconds=60)
        os.write(ours, b"\x03")
        until(ours, b"never said", seconds=45)
        out, _ = solving.communicate(timeout=15)
    finally:
        solving.kill()
        os.close(ours)
    assert solving.returncode == 10, out.decode()
    assert b"best plan found before the stop" in out
    plan = json.loads((tmp_path / "run/plan.json").read_text())
    assert plan["status"] == "best-found"
    assert plan["audit"]["passed"]


def test_ctrl_c_before_the_search_says_so(
    rackwatt: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("optimizer.commands.ready.load", pressed)
    said = rackwatt("solve", small)
    assert said.code == 130
    assert said.err.strip() == "rackwatt  stopped before anything was found; nothing is written"
    assert rackwatt("solve", small, "--json").object["status"] == "interrupted"


def test_ctrl_c_is_heard_and_a_second_one_abandons_the_plan(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def pressed(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)
        said.append(capfd.readouterr().err)
        signal.raise_signal(signal.SIGINT)

    said: list[str] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("optimizer.commands.solve.solve", pressed)
    assert main(["solve", str(small)]) == 130
    assert said == [HEARD]
    assert "abandon" in HEARD
    assert capfd.readouterr().err == ABANDONED
    assert not Path("runs").exists()


# --- pipes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_closed_pipe_is_no_defect_and_the_run_is_written(
    small: Path, tmp_path: Path, more: list[str]
) -> None:
    command = [sys.executable, "-m", "optimizer.cli", "solve", str(small), "--out", "run", *more]
    ours, theirs = os.pipe()
    os.close(ours)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, stdout=theirs, stderr=subprocess.PIPE, text=True
    )
    os.close(theirs)
    assert found.returncode == 0
    assert "defect" not in found.stderr
    assert "Error" not in found.stderr
    assert (tmp_path / "run/plan.json").is_file()


# --- check ---------------------------------------------------------------------------------


def test_check_counts_what_the_model_will_have(rackwatt: Command, small: Path) -> None:
    sizes = rackwatt("check", small, "--json").object["sizes"]
    solved = rackwatt("solve", small, "--json").object
    assert (sizes["columns"], sizes["integers"]) == (solved["columns"], solved["integers"])
    assert (sizes["periods"], sizes["halls"], sizes["racks"]) == (8, 4, 14)


def test_check_shows_sizes_and_defaults(rackwatt: Command, small: Path) -> None:
    said = rackwatt("check", small)
    assert said.code == 0
    assert "small: no errors, no warnings" in said.out
    assert "14  racks" in said.out
    answer = rackwatt("check", small, "--json").object
    assert f"{len(answer['defaults'])} figures that nobody typed" in said.out
    assert {"key": "bitcoin.pool_fee_share", "value": 0.01, "source": "format"} in answer[
        "defaults"
    ]


def test_check_tells_its_warnings_also_where_it_is_quiet(
    rackwatt: Command, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "odd", edited("age_months = 12\n", ""))
    assert "pass for new" in rackwatt("check", folder, "-q").err
    assert "pass for new" not in rackwatt("solve", folder, "-q").err


def test_check_says_what_may_be_bought_though_nobody_typed_it(
    rackwatt: Command, tmp_path: Path
) -> None:
    toml = edited('rack = "s21-lot"\nracks = 14', 'rack = "s21-plus-lot"\nracks = 10')
    folder = write_folder(tmp_path / "along", toml)
    said = rackwatt("check", folder)
    assert "racks that may be bought: s21-lot, gpu, s21-plus-lot" in said.out
    assert "[racks.s21-plus-lot] with buyable = false" in said.out
    stopped = toml + '\n[racks.s21-plus-lot]\nuse = "s21-plus-lot"\nbuyable = false\n'
    folder = write_folder(tmp_path / "stopped", stopped)
    assert rackwatt("check", folder, "--json").object["racks_buyable"] == ["s21-lot", "gpu"]


def test_check_tells_every_problem_at_once(rackwatt: Command, tmp_path: Path) -> None:
    toml = edited("it_mw = 5", "it_mw = -5", edited("kw = 132", 'kw = "132"'))
    toml = edited(
        'fitout = "mine"', 'fitout = "minee"', edited("periods = 8", "periods = 0", toml)
    )
    said = rackwatt("check", write_folder(tmp_path / "bad", toml), "--json")
    assert said.code == 3
    keys = {problem["key"] for problem in said.object["problems"]}
    assert {"halls.old.it_mw", "racks.gpu.kw", "halls.old.fitout", "horizon.periods"} <= keys


@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("pin.csv", "action,month,subject,amount\nsign,2028-01,lease,3\n", "until 2027-04"),
        ("../pin.csv", "", "leaves the instance's folder"),
        ("absent.csv", None, "no such file"),
    ],
)
def test_check_reads_the_pinned_actions(
    rackwatt: Command, tmp_path: Path, name: str, rows: str | None, says: str
) -> None:
    toml = edited("mining_share_min = 0.1", f'mining_share_min = 0.1\npin = "{name}"')
    folder = write_folder(tmp_path / "pinned", toml)
    if rows is not None:
        (folder / name).write_text(rows)
    said = rackwatt("check", folder, "--json")
    assert said.code == 3
    assert any(says in problem["message"] for problem in said.object["problems"])


# --- init and doctor -----------------------------------------------------------------------


def test_every_grid_has_an_instance_that_solves_as_it_is(rackwatt: Command) -> None:
    grids = list(templates())
    assert {"ercot", "alberta", "quebec", "sweden"} <= set(grids)
    for grid in grids:
        written = rackwatt("init", f"my {grid}", "--grid", grid, "--json")
        assert written.code == 0
        assert written.object["files"] == ["instance.toml"]
        text = Path(f"my {grid}/instance.toml").read_text()
        assert f'name = "my-{grid}"' in text
        assert text.count("#") > 5
        assert rackwatt("check", f"my {grid}").code == 0
        solved = rackwatt("solve", f"my {grid}", "--json", "--gap", "0.01", "--time-limit", "20")
        assert solved.code in (0, 10), solved.err


def test_init_leaves_a_folder_with_anything_in_it_alone(rackwatt: Command, small: Path) -> None:
    before = (small / "instance.toml").read_bytes()
    said = rackwatt("init", small, "--grid", "ercot")
    assert said.code == 2
    assert "not empty" in said.err
    assert (small / "instance.toml").read_bytes() == before


def test_help_of_init_names_every_grid(rackwatt: Command) -> None:
    assert list(templates()) == list(GRIDS)
    said = " ".join(rackwatt("init", "--help").out.split())
    assert all(grid in said for grid in GRIDS)


def test_doctor_answers_in_both_ways(rackwatt: Command) -> None:
    said, answered = rackwatt("doctor"), rackwatt("doctor", "--json")
    checks = answered.object["checks"]
    assert {"HiGHS", "arithmetic", "disk"} <= {check["name"] for check in checks}
    assert answered.code == said.code == (0 if all(check["ok"] for check in checks) else 1)
    assert answered.object["status"] == ("healthy" if said.code == 0 else "faulty")
    assert all(check["name"] in said.out for check in checks)
