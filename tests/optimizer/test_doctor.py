"""The doctor finds what is planted, and nothing on a sound installation."""

import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from optimizer import doctor, highs
from optimizer.doctor import OLDEST, OLDEST_PYTHON, run_doctor
from optimizer.sentinels import GUARDED, PUBLISHED

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def faults(checks):
    return {check.name for check in checks if not check.ok}


def test_a_sound_installation_has_no_fault(tmp_path):
    checks = run_doctor(tmp_path)
    assert faults(checks) == set()
    assert all(str(check).startswith("ok") and "\n" not in str(check) for check in checks)
    assert list(tmp_path.iterdir()) == []


def test_the_versions_asked_for_are_those_of_the_project():
    stated = dict(text.split(",")[0].split(">=") for text in PROJECT["dependencies"])
    assert stated == OLDEST
    assert PROJECT["requires-python"] == ">=" + ".".join(map(str, OLDEST_PYTHON))


def test_an_old_python_an_old_package_and_a_missing_one_are_told(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(doctor, "OLDEST", {"numpy": "999.1", "no-such-thing": "1.0", "rich": "13"})
    assert not doctor.python_version().ok
    old, missing, fine = doctor.package_versions()
    assert (old.ok, missing.ok, fine.ok) == (False, False, True)
    assert "numpy>=999.1" in old.hint
    assert missing.found == "missing"


def test_a_banned_solver_is_told_with_its_reason(monkeypatch):
    monkeypatch.setattr(doctor, "Quiet", lambda: SimpleNamespace(version=lambda: "1.14.0"))
    check = doctor.solver_version()
    assert not check.ok
    assert "3043" in check.hint


def test_a_solver_that_lies_is_told_by_every_sentinel(monkeypatch):
    honest = highs.run

    def lying(matrix, options):
        outcome = honest(matrix, options)
        return replace(outcome, objective=outcome.objective + 1e-3)

    monkeypatch.setattr(doctor, "run", lying)
    names = {f"sentinel {sentinel.name}" for sentinel in (*PUBLISHED, *GUARDED)}
    assert faults(run_doctor()) == names | {"arithmetic"}


def test_a_solver_that_fails_is_a_fault_and_no_crash(monkeypatch):
    def failing(matrix, options):
        raise highs.SolverFault("HiGHS failed")

    monkeypatch.setattr(doctor, "run", failing)
    check = doctor.published(PUBLISHED[0])
    assert (check.ok, check.found) == (False, "HiGHS failed")


def test_a_preflight_that_sleeps_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "refuse_unsound", lambda matrix: [])
    check = doctor.guarded(GUARDED[0])
    assert not check.ok
    assert "let through" in check.found


@pytest.mark.parametrize("trouble", ["full", "absent", "a file"])
def test_a_folder_that_cannot_be_used_is_told(tmp_path, monkeypatch, trouble):
    folder = tmp_path
    if trouble == "full":
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=1024))
    elif trouble == "absent":
        folder = tmp_path / "nowhere"
    else:
        folder = tmp_path / "plan.json"
        folder.write_text("{}")
    checks = list(doctor.disk(folder))
    assert (
        faults(checks)
        == {"full": {"disk"}, "absent": {"disk", "writing"}, "a file": {"writing"}}[trouble]
    )
    assert all(check.hint for check in checks if not check.ok)
