"""A case ready to solve: what was typed, its tree, its hours, and the numbers that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.allowed import at_site
from models.called import ordered
from models.charges import charged
from models.derive import Derivation, tree_of
from models.given import Given, Site
from models.hours import Hours
from models.instance import Instance
from models.terms import with_terms
from models.tree import Node, Tree
from optimizer.bands import merge
from optimizer.yearly import Prices, first_prices, in_bands


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
    priced = {
        name: ordered(charged(hours, instance.power[name]), instance.power[name])
        for name, hours in supplies.items()
    }
    given = derivation.given()
    hours = {
        s: at_site(derivation, s, given.sheddable.get(s, ()), priced[site.power or s])
        for s, site in instance.sites.items()
    }
    prices = {} if hourly else first_prices(given, hours)
    banded = in_bands(given, hours, prices) if prices else merge(given, hours, hourly=hourly)
    return Case(instance, derivation, hours, with_terms(derivation, banded), prices)
