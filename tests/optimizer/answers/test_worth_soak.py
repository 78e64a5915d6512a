"""Two hundred values of one more unit, each against two full solves from nothing.

``RACKWATT_SOAK_UNITS`` sets how many values there are at least (200), of small sites first;
``RACKWATT_SOAK_SHIPPED`` how many of them are of each of two shipped instances, hut8 and texas
(10).
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from itertools import count, takewhile
from pathlib import Path

import pytest

from optimizer.answers.worth.bench import Bench
from optimizer.answers.worth.more import OneMore
from optimizer.answers.worth.units import units
from optimizer.highs import Options
from optimizer.load import load
from tests.folders import write_folder
from tests.optimizer.answers.anew import INSTANCES, anew, drawn, with_unit

pytestmark = pytest.mark.soak

VALUES = int(os.environ.get("RACKWATT_SOAK_UNITS", "200"))
OF_SHIPPED = int(os.environ.get("RACKWATT_SOAK_SHIPPED", "10"))
PATIENT = Options(gap=1e-6)


def folders(tmp_path: Path, enough: Callable[[], bool]) -> Iterator[tuple[Path, int]]:
    """Instances, and how many values may be asked of each: texas, which takes longest, last."""
    yield INSTANCES / "by_hand", VALUES
    yield INSTANCES / "hut8", OF_SHIPPED
    for seed in takewhile(lambda _: not enough(), count()):
        yield write_folder(tmp_path / str(seed), drawn(seed)), VALUES
    yield INSTANCES / "texas", OF_SHIPPED


def test_values_are_those_of_two_full_solves(tmp_path: Path) -> None:
    nothing = together = 0
    worst = (0.0, "", 0.0)
    apart = 0.0
    done: list[float] = []
    for folder, most in folders(tmp_path, lambda: len(done) >= VALUES - OF_SHIPPED):
        if not most:
            continue
        loaded = load(folder)
        bench = Bench(loaded, Options())
        best = bench.best(bench.at({}))
        asked = units(bench.document)
        asked = random.Random(f"units of {folder.name}").sample(asked, min(most, len(asked)))
        base = anew(loaded, loaded.instance, PATIENT)
        assert base.value_musd is not None
        assert base.bound_musd is not None
        size = max(1.0, abs(base.value_musd))
        for one in OneMore(bench, best).worths(asked):
            if one.verdict == "refused":
                continue
            other = anew(loaded, with_unit(loaded, one.unit), PATIENT)
            if other.value_musd is None:
                assert one.musd is None
                continue
            assert one.musd is not None
            assert one.at_least_musd is not None
            assert one.at_most_musd is not None
            assert other.bound_musd is not None
            nothing += one.verdict == "nothing"
            together += one.together > 1
            difference = other.value_musd - base.value_musd
            error = abs(one.musd - difference)
            done.append(error)
            worst = max(worst, (error, f"{folder.name} {one.unit.key}", one.musd))
            apart = max(apart, error / size)
            # What both pairs of bounds leave open has to overlap.
            assert one.at_least_musd <= other.bound_musd - base.value_musd + 1e-9 * size
            assert one.at_most_musd >= other.value_musd - base.bound_musd - 1e-9 * size
            assert error <= 4e-6 * size
        print(  # noqa: T201
            f"{len(done)} values, {nothing} of them nothing, {together} proved together; largest "
            f"error {worst[0]:.3g} M$ ({worst[1]}, worth {worst[2]:.6g} M$), {apart:.2g} of the "
            f"value; {folder.name} took {bench.solves} solves", flush=True,
        )  # fmt: skip
    assert len(done) >= VALUES
