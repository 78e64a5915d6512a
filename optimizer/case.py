"""A case ready to solve: what was typed, its tree, its hours, and the numbers that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from models.allowed import at_site
from models.called import ordered
from models.charges import charged
from models.derive import Derivation, tree_of
from models.given import Given, Site
from models.hours import Hours
from models.instance import Instance
from models.terms import with_terms
from models.tree import Node, Tree
from optimizer.bands import merged_tables
from optimizer.yearly import Prices, cut_tables, first_prices


@dataclass(frozen=True, eq=False)
class Case:
    """One instance, from the typed figures to the numbers of the algebra.

    ``limit_prices`` are those of limits on a year's energy at which bands are cut
    (:mod:`optimizer.yearly`).
    """

    instance: Instance
    derivation: Derivation
    hours: Mapping[Site, Hours]
    given: Given
    limit_prices: Mapping[tuple[Node, Site], Prices] = field(default_factory=dict)


def prepare(
    instance: Instance,
    supplies: Mapping[str, Hours],
    *,
    tree: Tree | None = None,
    hourly: bool = False,
) -> Case:
    """Derive a case from an instance and the priced hours of its power supplies.

    Parameters
    ----------
    instance : Instance
        What was typed.
    supplies : mapping
        Priced hours by name of the power block.
    tree : Tree, optional
        A scenario tree in place of the instance's chain.
    hourly : bool
        Keep every hour as a band of its own, to compare with the merged bands.
    """
    derivation = Derivation(instance, tree or tree_of(instance))
    bare = derivation.given()
    banded = in_hours(derivation, bare, supplies, hourly=hourly)
    given = with_terms(derivation, replace(bare, **banded.tables))
    return Case(instance, derivation, banded.hours, given, banded.prices)


class Banded(NamedTuple):
    """Tables that hours fill, these hours by site, and the prices that cut the bands."""

    tables: Mapping[str, Any]
    hours: Mapping[Site, Hours]
    prices: Mapping[tuple[Node, Site], Prices]


def in_hours(
    derivation: Derivation, given: Given, supplies: Mapping[str, Hours], *, hourly: bool = False
) -> Banded:
    """Price the hours of each site and merge them into bands."""
    power, sites = derivation.i.power, derivation.i.sites
    priced = {
        name: ordered(charged(hours, power[name]), power[name]) for name, hours in supplies.items()
    }
    hours = {
        s: at_site(derivation, s, given.sheddable.get(s, ()), priced[site.power or s])
        for s, site in sites.items()
    }
    prices = {} if hourly else first_prices(given, hours)
    if prices:
        return Banded(cut_tables(given, hours, prices), hours, prices)
    return Banded(merged_tables(given, hours, hourly=hourly), hours, prices)
