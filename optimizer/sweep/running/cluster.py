"""Points computed by the workers of a Dask cluster.

The base goes to every worker once, as a plugin, which the scheduler also gives to workers that
come later or come back. Dask tries the tasks of a lost worker again by itself; a task on which
workers die again and again is taken apart, and each of its points is tried with nothing else
under way, so that none is blamed for another.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from optimizer.sweep.points import Base, MakeEvaluate, Point, Row, digest
from optimizer.sweep.rows.records import Done
from optimizer.sweep.rows.refusal import SweepRefused
from optimizer.sweep.rows.software import differing, software
from optimizer.sweep.running import worker
from optimizer.sweep.running.backlog import DIED, Backlog
from optimizer.sweep.running.engine import TICK, Task, hard_seconds, overran

if TYPE_CHECKING:
    from distributed import Client, Future, WorkerPlugin
else:
    try:
        from distributed import WorkerPlugin
    except ImportError:
        WorkerPlugin = object

#: Seconds to wait for a scheduler, and for rows that are on their way from a worker.
CONNECT_SECONDS = 20.0
FETCH_SECONDS = 60.0
#: Seconds between two looks at how many workers there are.
CENSUS_SECONDS = 2.0
#: Chunks beyond two a worker that wait at the scheduler: clusters that adapt grow by what waits.
SURPLUS = 2
#: How often in a row workers may have no evaluator.
FALSE_STARTS = 10

_MISSING = "the base did not reach it"


class Cluster:
    """Workers of a Dask scheduler, started by whoever owns the machines.

    Parameters
    ----------
    address : str
        ``tcp://host:8786``, or the path of a scheduler file.
    hard : float, optional
        Seconds after which a point that still runs is given up.

    Raises
    ------
    SweepRefused
        Where Dask is not installed.
    """

    def __init__(self, address: str, *, hard: float | None = None) -> None:
        if WorkerPlugin is object:
            raise SweepRefused('a scheduler needs Dask: pip install "rackwatt[dask]"')
        self._address, self._hard, self._versions = address, hard, software()

    def count_workers(self) -> int:
        """How many workers there are just now.

        Raises
        ------
        SweepRefused
            Where no scheduler answers, or a worker is of another make.
        """
        with connected(self._address) as client:
            refuse_others(client, self._versions)
            return len(client.scheduler_info(n_workers=-1)["workers"])

    def compute(self, task: Task) -> Generator[list[Done], None, None]:
        """Give rows as they come in; see :class:`optimizer.sweep.running.engine.Engine`."""
        hard = hard_seconds(task.base.options) if self._hard is None else self._hard
        with connected(self._address) as client:
            refuse_others(client, self._versions)
            kit = Kit(task.base, task.make, hard)
            client.register_plugin(kit, name=kit.name)
            flow = _Flow(client, kit, task, self._versions)
            try:
                yield from flow.working()
            finally:
                flow.end()

    def end(self) -> None:
        """Part with nothing: workers belong to whoever started them."""


# --- on a worker ---------------------------------------------------------------------------

_KITS: dict[str, Kit] = {}


class Kit(WorkerPlugin):  # type: ignore[misc]
    """What a worker needs for a sweep; shipped to each of them once.

    An evaluator knows one thread only: of a worker with several, one computes at a time.
    """

    def __init__(self, base: Base, make: MakeEvaluate, hard: float) -> None:
        made = f"{make.__module__}.{getattr(make, '__qualname__', make)}"
        lent = [hashlib.sha256(one.plan).hexdigest() for one in base.lent]
        self.name = "rackwatt-" + digest([base.version({}), lent, made, str(hard)])[:16]
        self._base, self._make, self._hard = base, make, hard

    def setup(self, worker: Any) -> None:  # noqa: ARG002
        """Be found by the tasks of the sweep."""
        self._hand = _hand(self._base, self._make)
        self._turn = threading.Lock()
        _KITS[self.name] = self

    def teardown(self, worker: Any) -> None:  # noqa: ARG002
        """Let the base go."""
        _KITS.pop(self.name, None)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_hand", "_turn")}

    def compute(self, points: Sequence[Point]) -> worker.Answer:
        """Compute a chunk."""
        with self._turn:
            began, rows, spent = time.monotonic(), list[Row](), ""
            for point in points:
                row = self._row(point)
                if row is None:
                    spent = self._hand.ready() or "it has no evaluator"
                    break
                rows.append(row)
            return worker.Answer(rows, worker.worker_name(), time.monotonic() - began, spent)

    def _row(self, point: Point) -> Row | None:
        """Compute a point in a thread of its own, which nobody waits for beyond all limits."""
        found: list[Row | None] = []
        on = threading.Thread(target=lambda: found.append(self._hand.row(point)), daemon=True)
        on.start()
        on.join(self._hard if self._hard < threading.TIMEOUT_MAX else None)
        if found:
            return found[0]
        # Whatever it does still, it does with the old evaluator.
        self._hand = _hand(self._base, self._make)
        if on.is_alive():
            return Row(point.number, "timeout", message=overran(self._hard))
        return Row(point.number, "error", message="it ended the thread that it was computed in")


def _hand(base: Base, make: MakeEvaluate) -> worker.Hand:
    return worker.Hand(base, make)


def compute(name: str, points: Sequence[Point], versions: dict[str, str]) -> worker.Answer:
    """Compute a chunk on a worker, unless the worker is of another make than the coordinator."""
    others = differing(versions, software())
    if others:
        raise SweepRefused(f"worker {worker.worker_name()} has {'; '.join(others)}")
    kit = _KITS.get(name)
    if kit is None:
        return worker.Answer([], worker.worker_name(), 0.0, _MISSING)
    return kit.compute(points)


# --- on the coordinator --------------------------------------------------------------------


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Hand out a connection; what Dask has to say about losing it, we say ourselves.

    Raises
    ------
    SweepRefused
        Where Dask is not installed, or no scheduler answers.
    """
    if WorkerPlugin is object:
        raise SweepRefused('a scheduler needs Dask: pip install "rackwatt[dask]"')
    from distributed import Client

    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)
    client = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                client = Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                raise SweepRefused(
                    f"no scheduler answers at {address}; start one with `dask scheduler`"
                ) from error
        yield client
    finally:
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2.0)
        log.setLevel(level)


def kills_workers(future: Future) -> bool:
    """Whether a task has ended because worker after worker died of it."""
    from distributed import KilledWorker

    return isinstance(future.exception(), KilledWorker)


def refuse_others(client: Client, own: dict[str, str]) -> None:
    """Refuse workers of another make: rows of two engines are not mixed.

    Those that join later are looked at by their first task.
    """
    for address, found in client.get_versions()["workers"].items():
        python = str(found["host"]["python"]).partition(".final")[0]
        if python != own["python"]:
            raise SweepRefused(f"worker {address} has python {python} instead of {own['python']}")
    for address, versions in client.run(software, on_error="return").items():
        if isinstance(versions, Exception):
            raise SweepRefused(f"worker {address} cannot load rackwatt: {versions}")
        others = differing(own, versions)
        if others:
            raise SweepRefused(f"worker {address} has {'; '.join(others)}")


class _Flow:
    """Chunks on their way to a cluster and back."""

    def __init__(self, client: Client, kit: Kit, task: Task, versions: dict[str, str]) -> None:
        self._client, self._kit, self._task, self._versions = client, kit, task, versions
        self._backlog = Backlog(task.points, task.total, 1)
        self._events: SimpleQueue[Future] = SimpleQueue()
        self._out: dict[Future, list[Point]] = {}
        self._is_alone = False
        self._counted_at = float("-inf")
        self._false_starts = 0

    def working(self) -> Generator[list[Done], None, None]:
        """Give rows as they come in."""
        give_up = float("inf")
        while True:
            stopping = self._task.stop.is_set()
            if not stopping:
                self._feed()
            elif give_up == float("inf"):
                give_up = time.monotonic() + self._task.grace
            waiting = len(self._backlog) and not stopping
            if time.monotonic() > give_up or not (waiting or self._out):
                return
            yield self._heard()

    def end(self) -> None:
        """Call back what is out, and the base."""
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._out))
            self._client.unregister_worker_plugin(self._kit.name)

    def _feed(self) -> None:
        """Send chunks, so many that no worker waits; a suspect goes with nothing else out."""
        if self._is_alone:
            return
        if self._backlog.suspects:
            if not self._out:
                suspect = self._backlog.suspect()
                self._is_alone = suspect is not None
                self._send([suspect] if suspect is not None else [])
            return
        self._count()
        while len(self._out) < 2 * self._backlog.hands + SURPLUS:
            points = self._backlog.unsuspected()
            if not points:
                return
            self._send(points)

    def _count(self) -> None:
        """See how many points can be on at a time: workers come and go."""
        if time.monotonic() - self._counted_at > CENSUS_SECONDS:
            self._counted_at = time.monotonic()
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._backlog.hands = max(1, len(workers))

    def _send(self, points: list[Point]) -> None:
        future = self._client.submit(compute, self._kit.name, points, self._versions, pure=False)
        self._out[future] = points
        future.add_done_callback(self._events.put)

    def _heard(self) -> list[Done]:
        """Take all that came back, or wait a moment for it."""
        done: list[Done] = []
        wait = TICK
        while True:
            try:
                future = self._events.get(timeout=wait) if wait else self._events.get_nowait()
            except Empty:
                break
            done += self._taken(future)
            wait = 0.0
        if self._client.status in ("closed", "closing"):
            raise self._gone()
        return done

    def _taken(self, future: Future) -> list[Done]:
        from distributed import CancelledError, KilledWorker

        points = self._out.pop(future)
        was_alone, self._is_alone = self._is_alone, False
        try:
            answer = future.result(timeout=FETCH_SECONDS)
        except KilledWorker:
            if was_alone:
                return [self._backlog.set_aside(points[0], "worker_died", DIED)]
            self._backlog.suspect_all(points)
            return []
        except TimeoutError:
            self._backlog.give_back(points)
            return []
        except CancelledError as error:
            raise self._gone() from error
        except SweepRefused:
            raise
        except Exception as error:
            return self._failed(points, error)
        finally:
            future.release()
        return self._answered(points, answer)

    def _answered(self, points: list[Point], answer: worker.Answer) -> list[Done]:
        done = len(answer.rows)
        self._backlog.learn(done, answer.seconds)
        self._backlog.give_back(points[done:])
        self._false_starts = 0 if done else self._false_starts + 1
        if self._false_starts >= FALSE_STARTS:
            why = f"worker {answer.worker} could not get ready: {answer.spent}"
            raise SweepRefused(why)
        if answer.spent == _MISSING:
            self._client.register_plugin(self._kit, name=self._kit.name)
        return self._backlog.done(points[:done], answer.rows, answer.worker)

    def _failed(self, points: list[Point], error: Exception) -> list[Done]:
        """Points or rows could not travel: find the point that it is."""
        if len(points) > 1:
            self._backlog.suspect_all(points)
            return []
        told = f"{type(error).__name__}: {error}"
        return [self._backlog.set_aside(points[0], "error", told)]

    def _gone(self) -> SweepRefused:
        return SweepRefused(
            "the scheduler is gone; every row that was counted as done is kept. Run the same "
            "command again once there is one"
        )
