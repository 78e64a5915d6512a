"""Numbers of :mod:`models.grid`: connections by date and the projects that add to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import instance as typed
from models.derive.facts import Facts
from models.instance import month_index
from models.paths import least_over
from models.tree import Node, Tree


def tables(d: Facts) -> dict[str, Any]:
    """Tables of the grid connection and of projects."""
    sites, projects, t = d.i.sites, d.i.projects, d.tree
    kept = d.i.policy.keep_sites
    lag = {j: d.lag(project.months) for j, project in projects.items()}
    return {
        "firm_mw": {
            (n, s): least_over(site.firm_mw, t, n) for n in t.nodes for s, site in sites.items()
        },
        "interruptible_mw": {
            (n, s): least_over(site.interruptible_mw, t, n)
            for n in t.nodes
            for s, site in sites.items()
        },
        "mining_mw_max": _present(sites, "mining_mw_max"),
        "ai_mw_max": _present(sites, "ai_mw_max"),
        "substation_mw": _present(sites, "substation_mw"),
        "projects": {
            s: tuple(j for j, project in projects.items() if project.site == s) for s in sites
        },
        "project_lag": lag,
        "project_cost": {j: project.capex_musd for j, project in projects.items()},
        "project_units": {j: float(project.max_units) for j, project in projects.items()},
        "project_firm_mw": {
            j: project.adds_firm_mw for j, project in projects.items() if project.adds_firm_mw
        },
        "project_interruptible_mw": {
            j: project.adds_interruptible_mw
            for j, project in projects.items()
            if project.adds_interruptible_mw
        },
        "project_halls": {
            (j, d.by_hall[project.adds_halls.hall][0].name): float(project.adds_halls.count)
            for j, project in projects.items()
            if project.adds_halls is not None
        },
        "project_fibre": {j: 1.0 for j, project in projects.items() if project.adds_fibre},
        "builds_allowed": tuple(
            (n, j)
            for n in t.nodes
            for j, project in projects.items()
            if project.site not in kept and t.lands(n, lag[j]) and _open(project, t, n)
        ),
        "reuse_power": d.i.policy.reuse_power,
    }


def _present(sites: Mapping[str, typed.Site], key: str) -> dict[str, float]:
    return {s: getattr(site, key) for s, site in sites.items() if getattr(site, key) is not None}


def _open(project: typed.Project, tree: Tree, n: Node) -> bool:
    month = tree.first_month(n)
    after = project.earliest is None or month >= month_index(project.earliest)
    return after and (project.latest is None or month <= month_index(project.latest))
