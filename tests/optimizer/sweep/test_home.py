"""Folders of workers: theirs while they live, nobody's afterwards."""

import gc
import os
import subprocess
import sys

import pytest

from optimizer.sweep.point.home import LOCK, PREFIX, Home, clear_left_behind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks are those of POSIX")

KEPT = """
import os, signal, sys
from optimizer.sweep.point.home import Home
home = Home({"a/b.csv": b"1"})
print(home.path, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_home_holds_its_files_as_long_as_it_is_wanted(tmp_path):
    home = Home({"instance.toml": b"x", "prices/a.csv": b"y"})
    assert (home.path / "prices/a.csv").read_bytes() == b"y"
    assert home.put("plan/b.csv", b"z").read_bytes() == b"z"
    del home
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_cleared_and_what_lives_is_not(tmp_path):
    call = [sys.executable, "-c", KEPT]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(call, stdin=-1, stdout=-1, text=True, env=surroundings) for _ in range(2)
    ]
    killed, living = processes
    try:
        homes = [process.stdout.readline().strip() for process in processes]
        killed.kill()
        killed.wait()
        strange = tmp_path / f"{PREFIX}strange"
        strange.mkdir()
        clear_left_behind()
        assert [os.path.exists(home) for home in homes] == [False, True]
        # No lock, no knowledge of whose it is.
        assert strange.exists()
    finally:
        living.communicate("\n")
        killed.communicate()
    assert not os.path.exists(homes[1])
    assert LOCK not in os.listdir(tmp_path)
