"""The result store: what is committed stays, what is not ours is left alone."""

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from optimizer.commands.sweeps.ending import standing
from optimizer.highs import Options
from optimizer.sweep.points import Base, Held, Lent, Point, Row
from optimizer.sweep.rows import database, glance
from optimizer.sweep.rows.records import Done, Spec
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.store import Store
from tests.optimizer.sweep import fakes

START = {("racks", ("n0", ("hall", 2), "s21")): 0.1, ("halls", ("n0",)): 3.0}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "capex & power?.sweep"


def begun(store, number=5, **base):
    version = store.add(fakes.base(**base), fakes.VERSIONS)
    store.design(version, fakes.points(number))
    store.turn_to(Spec("capex", "axes"), version.number)
    return version


def solved(number, **more):
    return Done(Point(number, {}, {"x": number}), Row(number, "solved", 1.0, 2.0, 0.5, **more))


def test_inputs_come_back_as_they_were(path):
    base = Base(
        {"instance.toml": b"\x00\xff", "prices.csv": b"1"}, Options(gap=0.01, nodes=7), 2048,
        {"plan.json": b"1"}, START,
    )  # fmt: skip
    with Store.open(path) as store:
        number = store.add(base, fakes.VERSIONS).number
        store.turn_to(Spec("capex", "text"), number)
    with Store.read(path) as store:
        assert store.base() == base
        assert store.spec() == Spec("capex", "text")
        assert store.version().software == fakes.VERSIONS
        assert store.version().digest == base.version(fakes.VERSIONS)


def test_rows_come_back_as_they_were(path):
    row = Row(1, "best-found", 1.5, 2.5, 0.4, "so", {"capex": 0.1, "site": "é"}, 3.0, 2.0)
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, [Done(Point(1, {}, {"x": 1}), row, "here:1", 2)])
        entry = store.numbered(version, 1)
        assert (entry.row, entry.worker, entry.attempts) == (row, "here:1", 2)
        assert entry.point == fakes.points(5)[1]
        assert store.matching(version, entry.identity[:10]) == [entry]
        assert store.counts(version) == {"best-found": 1}
        assert [p.number for p in store.pending(version)] == [0, 2, 3, 4]
        assert [p.number for p in store.pending(version, backwards=True)] == [4, 3, 2, 0]
        assert [p.number for p in store.pending(version, ["best-found"])] == [0, 1, 2, 3, 4]


def test_trying_again_replaces_the_row_and_counts_the_tries(path):
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, [Done(Point(1, {}, {"x": 1}), Row(1, "error", message="no"))])
        store.record(version, [solved(1)])
        entry = store.numbered(version, 1)
        assert (entry.row.status, entry.row.message, entry.attempts) == ("solved", "", 2)


def test_numbers_that_are_none_and_text_that_is_none_are_stored_all_the_same(path):
    odd = Row(0, "solved", float("nan"), float("inf"), None, "\ud800", {"a": float("nan")})
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, [Done(fakes.points(1)[0], odd), solved(1, metrics={"f": print})])
        row = store.numbered(version, 0).row
        assert (row.value_musd, row.bound_musd, row.metrics) == (None, None, {"a": None})
        assert store.numbered(version, 1).row.status == "error"


def test_points_of_one_identity_share_a_row(path):
    with Store.open(path) as store:
        version = store.add(fakes.base(), fakes.VERSIONS)
        same = [Point(n, {"axis": n}, {"x": n % 2}) for n in range(4)]
        store.design(version, same)
        assert [p.number for p in store.pending(version)] == [0, 1]
        store.record(version, [Done(same[0], Row(0, "solved", 5.0))])
        assert [e.row and e.row.number for e in store.entries(version)] == [0, None, 2, None]


def test_a_design_that_grows_keeps_its_rows_and_one_that_shrinks_hides_them(path):
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, map(solved, range(5)))
        grown = [replace(p, number=p.number + 3) for p in fakes.points(5)]
        assert store.design(version, [*grown, Point(0, {}, {"x": 99})]) == 6
        assert [p.number for p in store.pending(version)] == [0]
        store.design(version, grown[:2])
        assert (store.counts(version), store.left_out(version)) == ({"solved": 2}, 3)
        store.design(version, grown)
        assert (store.counts(version), store.left_out(version)) == ({"solved": 5}, 0)
        with pytest.raises(ValueError, match="two points are number 3"):
            store.design(version, [grown[0], grown[0]])


def test_a_second_writer_is_told_who_writes(path):
    with Store.open(path), pytest.raises(SweepRefused, match=rf"process {os.getpid()} on "):
        Store.open(path)
    Store.open(path).close()


HOLD = """
import sys, time
from pathlib import Path
from optimizer.sweep.rows.store import Store
store = Store.open(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_writer_that_is_killed_holds_nothing(path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=-1) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SweepRefused, match=f"process {holder.pid} on "):
            Store.open(path)
        with Store.read(path) as reader:
            assert reader.current() is None
        holder.kill()
    Store.open(path).close()


def test_readers_see_what_is_committed_while_it_is_written(path):
    with Store.open(path) as store:
        version = begun(store)
        with Store.read(path) as reader:
            for number in range(3):
                store.record(version, [solved(number)])
                assert reader.counts(version) == {"solved": number + 1}
            with pytest.raises(SweepRefused, match="may not be written"):
                reader.record(version, [solved(4)])
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, path.name + ".lock"]


def test_rows_are_synced_before_they_count(path):
    with Store.open(path) as store:
        ask = store._database.execute
        assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ask("PRAGMA synchronous").fetchone() == (2,)


def test_network_file_systems_get_a_rollback_journal(tmp_path, monkeypatch, path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"d / ext4 rw 0 0\ns:/x {tmp_path}/my\\040net nfs4 rw 0 0\n", encoding="utf-8"
    )
    assert database.networked(tmp_path / "my net" / "sweep", mounts)
    assert not database.networked(path, mounts)
    monkeypatch.setattr(database, "networked", lambda path: True)
    with Store.open(path) as store:
        assert store._database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        version = begun(store)
        with Store.read(path) as reader:
            store.record(version, [solved(1)])
            assert reader.counts(version) == {"solved": 1}


def test_the_search_that_ended_farthest_from_its_best_is_told(path):
    with Store.open(path) as store:
        version = begun(store)
        assert glance.widest(store, version) is None
        for number, gap in ((1, 0.5), (2, 1.2), (3, None)):
            row = Row(number, "best-found", 1.0, 2.0, gap)
            store.record(version, [Done(Point(number, {}, {"x": number}), row)])
        store.record(version, [Done(Point(4, {}, {"x": 4}), Row(4, "solved", 1.0, 2.0, 9.0))])
        assert glance.widest(store, version) == (2, 1.2)
        told = [str(line) for line in standing(store, version)]
    assert any("case 2 farthest from its best, by up to 120 %" in line for line in told)


# --- what is refused -----------------------------------------------------------------------


def test_a_sweep_that_has_no_tables_yet_is_told_as_such(tmp_path):
    path = tmp_path / "s.sweep"
    path.touch()
    with pytest.raises(SweepRefused, match="has not begun yet"):
        Store.read(path)
    with Store.open(path):
        pass
    Store.read(path).close()


@pytest.mark.parametrize("opening", [Store.open, Store.read])
def test_what_is_no_sweep_is_left_as_it_is(path, opening):
    path.write_text("number,value\n1,2\n" * 100, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(SweepRefused, match="no sweep: not a database at all"):
        opening(path)
    assert path.read_bytes() == before
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(SweepRefused, match="a database of another program"):
        opening(path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("opening", [Store.open, Store.read])
def test_a_sweep_of_a_newer_program_is_left_as_it_is(path, opening):
    Store.open(path).close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version={database.FORMAT + 1}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(SweepRefused, match=r"newer rackwatt .*update"):
        opening(path)
    assert path.read_bytes() == before


#: Takes a database back to what programs of older formats wrote.
OLDER = {
    2: "DROP TABLE lenders; PRAGMA user_version=2;",
    1: "DROP TABLE lenders; ALTER TABLE points DROP COLUMN times; DROP TABLE held; "
       "PRAGMA user_version=1",
}  # fmt: skip


def written_before(path, older):
    """A sweep as a program of an older format left it."""
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, [solved(1)])
    written = sqlite3.connect(path)
    written.executescript(OLDER[older])
    written.close()


@pytest.mark.parametrize("older", OLDER)
def test_a_sweep_of_an_older_program_is_read_and_left_as_it_is(path, older):
    written_before(path, older)
    before = path.read_bytes()
    with Store.read(path) as reader:
        version = reader.version()
        assert [entry.point.times for entry in reader.entries(version)] == [1] * 5
        assert (reader.counts(version), reader.held(version)) == ({"solved": 1}, Held())
        assert reader.count_pending(version, lend=True) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("older", OLDER)
def test_a_sweep_of_an_older_program_is_brought_up_when_it_is_run(path, older):
    written_before(path, older)
    with Store.open(path) as store:
        version = store.version()
        assert store.counts(version) == {"solved": 1}
        often = [replace(point, times=3) for point in fakes.points(5)]
        store.design(version, often, Held({"x": 1}, {"a": "own.csv"}))
        store.choose_lenders(version, 2)
        chosen = [point.number for point in store.pending(version, lend=True)]
        assert len(chosen) == 2
        lender = Point(chosen[0], {}, {"x": chosen[0]}, lends=True)
        store.record(version, [Done(lender, Row(chosen[0], "solved", lent=b"a plan"))])
        assert store.close_lending(version) == (Lent({"x": chosen[0]}, b"a plan"),)
    with Store.read(path) as reader:
        assert reader.draws(version) == 15
        assert reader.held(version) == Held({"x": 1}, {"a": "own.csv"})
        assert reader.numbered(version, 1).row.status == "solved"
        assert reader.ask("PRAGMA user_version") == [(database.FORMAT,)]


def test_a_design_that_is_the_same_again_writes_nothing(path):
    held = Held({"x": (1, 2.0)}, {"a": "own.csv"})
    with Store.open(path) as store:
        version = begun(store)
        store.design(version, fakes.points(5), held)
        before = store.ask("SELECT total_changes()")
        store.design(version, fakes.points(5), held)
        assert store.ask("SELECT total_changes()") == before


def test_cases_that_failed_alike_are_told_once(path):
    with Store.open(path) as store:
        version = begun(store, 12)
        for number in range(9):
            said = "odd" if number == 3 else "no such column"
            row = Row(number, "error", message=said)
            store.record(version, [Done(Point(number, {}, {"x": number}), row)])
        row = Row(9, "infeasible", message="no such column")
        store.record(version, [Done(Point(9, {}, {"x": 9}), row)])
        found = glance.failing(store, version, 8)
        told = [[entry.point.number for entry in one.first] for one in found]
        assert [(one.status, one.message, one.cases) for one in found] == [
            ("error", "no such column", 8), ("error", "odd", 1),
        ]  # fmt: skip
        assert told == [[0, 1, 2, 4, 5], [3]]
        assert [one.message for one in glance.failing(store, version, 1)] == ["no such column"]


def test_what_is_not_there_cannot_be_read(path):
    with pytest.raises(SweepRefused, match="there is no sweep"):
        Store.read(path)
    assert not path.exists()
    with Store.open(path) as store, pytest.raises(SweepRefused, match="holds no run yet"):
        store.version()


def commit_all(store, version, committed, length):
    """Commit row by row until something stops it, noting what was acknowledged."""
    for number in range(3000):
        store.record(version, [solved(number, message="x" * length)])
        committed.append(number)


def test_a_full_database_loses_nothing_and_goes_on(path):
    committed = []
    with Store.open(path) as store:
        version = begun(store, 3000)
        [(pages,)] = store._database.execute("PRAGMA page_count").fetchall()
        store._database.execute(f"PRAGMA max_page_count={pages + 5}")
        with pytest.raises(SweepRefused, match="is full; free some space"):
            commit_all(store, version, committed, 200)
        kept = len(committed)
        assert store.counts(version) == {"solved": kept}
        assert kept > 10
    with Store.open(path) as store:
        assert store.counts(version) == {"solved": kept}
        store.record(version, map(solved, range(3000)))
        assert store.counts(version) == {"solved": 3000}
        assert store._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte, which only root can make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = [shutil.which("mount") or "false", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("only root can make a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def remounted(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def test_a_full_disk_loses_nothing_and_goes_on(small_disk):
    path = small_disk / "s.sweep"
    committed = []
    with Store.open(path) as store:
        version = begun(store, 300)
        with pytest.raises(SweepRefused, match="full") as refusal:
            commit_all(store, version, committed, 9000)
        assert len(str(refusal.value).splitlines()) == 1
        kept = len(committed)
        assert store.counts(version) == {"solved": kept}
        assert kept > 10
    remounted(small_disk, "size=20m")
    with Store.open(path) as store:
        assert store.counts(version) == {"solved": kept}
        store.record(version, (solved(n, message="x" * 9000) for n in range(300)))
        assert store._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_disk_that_is_full_from_the_start_is_told(small_disk):
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2**21)
    with pytest.raises(SweepRefused, match=r"full|fails"):
        Store.open(small_disk / "s.sweep")


def test_a_folder_that_may_not_be_written_is_told_and_can_be_read(small_disk):
    path = small_disk / "s.sweep"
    with Store.open(path) as store:
        version = begun(store)
        store.record(version, [solved(1)])
    remounted(small_disk, "ro")
    with pytest.raises(SweepRefused, match=r"may (not )?be written"):
        Store.open(path)
    with pytest.raises(SweepRefused, match="may be written"):
        Store.open(small_disk / "new.sweep")
    with Store.read(path) as reader:
        assert reader.counts(version) == {"solved": 1}
    remounted(small_disk, "rw")


def test_a_sweep_that_was_killed_can_be_read_where_nothing_may_be_written(small_disk):
    path = small_disk / "s.sweep"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=-1) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.kill()
    assert Path(f"{path}-wal").exists()
    remounted(small_disk, "ro")
    with Store.read(path) as reader:
        assert reader.current() is None
    remounted(small_disk, "rw")
