"""Build a large fleet and hand it to HiGHS, against numpy and against Pyomo's own interface."""

from __future__ import annotations

from typing import Any

import highspy
from pyomo.common.gc_manager import PauseGC
from pyomo.contrib.solver.solvers.highs import Highs
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from models.allocation import FAMILIES, objective
from models.build import Built, build, symbolic
from models.given import Given
from models.relation import Affine
from optimizer.case import prepare
from optimizer.highs import Quiet, _pass_model
from optimizer.matrix import Matrix, compile_model
from tests.benchmarks.arrays import Recipe, converted, recipe, same, triplets
from tests.benchmarks.fleet import fleet, priced_years
from tests.benchmarks.lines import Line, Part
from tests.benchmarks.stopwatch import Steps, alone

SITES, PERIODS = 40, 24


def parts() -> tuple[Part, Part]:
    """Measure build and hand-over against numpy, and hand-over alone against Pyomo's own.

    Raises
    ------
    ValueError
        Where numpy and Pyomo end in different matrices.
    """
    instance = fleet(SITES, PERIODS)
    supplies = {site: priced_years(seed) for seed, site in enumerate(instance.sites)}
    given = prepare(instance, supplies).given
    built = build(given)
    matrix = compile_model(built.model)
    by_numpy = recipe(built, matrix)
    if not same(matrix, converted(by_numpy, triplets(by_numpy))):
        raise ValueError("numpy and Pyomo end in different matrices")
    rows, columns = matrix.shape
    size = f"{columns:,} columns, {rows:,} rows, {matrix.coefficients.nnz:,} coefficients"
    through_pyomo = alone(_through_pyomo(given), times=5)
    return (
        _against_numpy(f"Build and hand over {size}", given, by_numpy, through_pyomo),
        _against_interface("Hand the same Pyomo model over", given, through_pyomo),
    )


def _against_numpy(
    heading: str, given: Given, by_numpy: Recipe, through_pyomo: dict[str, float]
) -> Part:
    numpy = alone(_by_numpy(by_numpy), times=15)
    families = alone({"families": lambda _: _families(given)}, times=5)["families"]
    least, ours = sum(numpy.values()), sum(through_pyomo.values())
    entries, *conversion = numpy
    building, *handing = through_pyomo
    sorting = sum(numpy[step] for step in conversion)
    return Part(
        heading,
        (
            *(Line(f"numpy: {step}", spent, least, least) for step, spent in numpy.items()),
            Line("numpy", least, against=least, total=True),
            Line("families, read on unknowns", families, least, ours),
            Line("Pyomo objects", through_pyomo[building] - families, least, ours),
            *(Line(step, through_pyomo[step], least, ours) for step in handing),
            Line("rackwatt", ours, against=least, total=True),
            Line("rackwatt, but for the families", ours - families, against=least),
            Line(f"rackwatt, against numpy without {entries!r}", ours, against=sorting),
        ),
    )


def _against_interface(heading: str, given: Given, through_pyomo: dict[str, float]) -> Part:
    building, *handing = through_pyomo
    ours = sum(through_pyomo[step] for step in handing)
    built = {building: lambda _: build(given)}
    form = alone({**built, "form": _standard_form}, times=2)["form"]
    theirs = alone({**built, "set": _set_instance}, times=2)["set"]
    paused = alone({**built, "set": _set_instance_paused}, times=2)["set"]
    return Part(
        heading,
        (
            Line("rackwatt: arrays, flat passModel", ours, against=ours, total=True),
            Line("Pyomo's standard form, without passModel", form, against=ours),
            Line("Pyomo's `highs`, collector paused", paused, against=ours),
            Line("Pyomo's `highs`", theirs, against=ours, total=True),
        ),
    )


# --- steps ---------------------------------------------------------------------------------


def _by_numpy(by_numpy: Recipe) -> Steps:
    return {
        "triplets": lambda _: triplets(by_numpy),
        "sorted into columns": lambda entries: converted(by_numpy, entries),
        "flat passModel": _passed,
    }


def _through_pyomo(given: Given) -> Steps:
    return {
        "built": lambda _: build(given),
        "arrays": lambda built: compile_model(built.model),
        "flat passModel": _passed,
    }


def _families(given: Given) -> tuple[int, Any]:
    """Read every family on unknowns as building does, keeping nothing; count rows, give value."""
    rows = 0
    with PauseGC():
        context, _ = symbolic(given)
        for family in FAMILIES:
            for _, relation in family.relations(context):
                rows += isinstance(relation.left - relation.right, Affine)
        return rows, objective(context)


def _passed(matrix: Matrix) -> highspy.Highs:
    solver = Quiet()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    if _pass_model(solver, matrix) == highspy.HighsStatus.kError:
        raise ValueError("HiGHS refused the matrix")
    return solver


def _standard_form(built: Built) -> Any:
    return LinearStandardFormCompiler().write(built.model, mixed_form=True, set_sense=None)


def _set_instance(built: Built) -> Highs:
    interface = Highs()
    interface.set_instance(built.model)
    return interface


def _set_instance_paused(built: Built) -> Highs:
    with PauseGC():
        return _set_instance(built)
