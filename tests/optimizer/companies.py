"""Small companies, taken apart by site."""

from optimizer.case import prepare
from optimizer.compiled import compile_case
from optimizer.decomposed.blocks import Blocks, sites_of
from tests.benchmarks.fleet import drawn_hours, random_fleet


def taken_apart(instance, hours):
    """The case of a company, its model, and this taken apart."""
    case = prepare(instance, hours)
    model = compile_case(case)
    sites = sites_of(case.given, model.built.columns)
    return case, model, Blocks.of(model.matrix, sites, model.large, model.kinds)


def four_unlike_sites():
    """Four sites over six half-years, of which the first node of the whole settles nothing."""
    instance = random_fleet(4, 6, 2, seed=1)
    return taken_apart(instance, drawn_hours(instance, 1))
