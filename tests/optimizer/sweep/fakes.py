"""Evaluators that solve nothing, for workers to import: they obey the changes of their point."""

import os
import time
from dataclasses import replace
from pathlib import Path

from optimizer.highs import Options
from optimizer.sweep.points import Base, Evaluate, Point, Row, digest
from optimizer.sweep.running.run import MANY_WHOLE

#: Environment variable that names a file which tells that a point is on.
ON = "RACKWATT_TEST_POINT_IS_ON"
VERSIONS = {"rackwatt": "1", "highspy": "2"}
OPTIONS = Options(time_limit=60.0)


def base(**more) -> Base:
    return Base(
        {"instance.toml": b"[instance]\n", "prices.csv": b"price\n" * 100}, OPTIONS, **more
    )


def points(number, *, start=0, sleep=None, **special):
    """``number`` points that square what they are given; special ones by their number."""
    todo = {int(key.removeprefix("at_")): value for key, value in special.items()}
    pause = {} if sleep is None else {"sleep": sleep}
    return [
        Point(n, {"axis": n}, {"x": n, **pause, **todo.get(n, {})}) for n in range(start, number)
    ]


def make(base: Base) -> Evaluate:
    """Be ready at once."""
    return evaluate


def lending(**more) -> Base:
    """A base with whole numbers enough for its points to lend one another their plans."""
    return base(start={("racks", (n,)): 0.0 for n in range(MANY_WHOLE)}, **more)


class Lending:
    """Tells in each row what it begins from; ``known`` counts what one evaluator has computed."""

    def __init__(self, base: Base) -> None:
        self.known = 0
        self.borrow(base.lent)

    def borrow(self, lent):
        """Tell others from now on."""
        self.told = f"{len(lent)} plans, {digest([one.plan.decode() for one in lent])[:8]}"

    def __call__(self, point: Point) -> Row:
        self.known += 1
        found, lent = evaluate(point), f"plan of {point.changes['x']}".encode()
        metrics = {**found.metrics, "began_from": self.told} if found.metrics else {}
        return replace(found, metrics=metrics, lent=lent if point.lends else None)


def make_lending(base: Base) -> Evaluate:
    """Be ready to tell in each row what it begins from."""
    return Lending(base)


class Counting(Lending):
    """Tells as well how many points it has computed."""

    def __call__(self, point: Point) -> Row:
        found = super().__call__(point)
        return replace(found, metrics={**found.metrics, "known": self.known})


def make_counting(base: Base) -> Evaluate:
    return Counting(base)


class Fussy(Counting):
    """Breaks while it is lent something later on, half changed."""

    def borrow(self, lent):
        super().borrow(lent)
        if self.known:
            self.told = "what it should not"
            raise ValueError("no more than I have")


def make_fussy(base: Base) -> Evaluate:
    return Fussy(base)


class Hoarding(Counting):
    """Holds much, and needs much more where it is lent something later on."""

    def __init__(self, base: Base) -> None:
        super().__init__(base)
        self.held = bytearray(200 * 2**20)

    def borrow(self, lent):
        super().borrow(lent)
        self.more = bytearray(150 * 2**20) if self.known else b""


def make_hoarding(base: Base) -> Evaluate:
    """Be ready with a little room to spare, and hold it where that fails."""
    return Hoarding(base)


def make_not_borrowing(base: Base) -> Evaluate:
    """Count what one evaluator has computed that cannot be lent anything later on."""
    counting = Counting(base)
    return lambda point: counting(point)


def make_failing(base: Base) -> Evaluate:
    raise ValueError("no such column")


def make_dying(base: Base) -> Evaluate:
    os.kill(os.getpid(), 9)
    return evaluate


def evaluate(point: Point) -> Row:
    x = point.changes["x"]
    if ON in os.environ:
        Path(os.environ[ON]).touch()
    time.sleep(point.changes.get("sleep", 0.0))
    do = point.changes.get("do", "")
    if do == "die":
        os.kill(os.getpid(), 9)
    if do == "die once":
        flag = Path(point.changes["flag"])
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), 9)
    if do == "raise":
        raise ValueError("a point that breaks")
    if do == "hoard":
        hoard = bytearray(point.changes["mb"] * 2**20)
        return Row(point.number, "solved", float(len(hoard)))
    if do == "odd":
        return Row(point.number, "solved", 1.0, message="\ud800", metrics={"f": lambda: 0})
    if do in ("infeasible", "invalid"):
        return Row(point.number, do, message=f"{do}: x is {x}")
    metrics = {"capex_musd": x / 3, "racks": x, "site": "=north", "ai": x % 2 == 0}
    return Row(point.number, "solved", x * x / 7, x * x / 7 + 0.1, 0.01, "", metrics, 0.1, 0.05)
