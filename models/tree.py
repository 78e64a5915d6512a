"""Time: nodes of a scenario tree, each a period in a scenario.

A deterministic case is a chain. Investment is decided at nodes and seen by every branch below
them; a lead time reaches back along the parents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

Node = int
#: A node of the last period.
Leaf = Node
#: The node at which an asset was ordered.
Vintage = Node


@dataclass(frozen=True)
class Tree:
    """Nodes in an order in which parents come first.

    Parameters
    ----------
    parent : tuple of int or None
        Parent of each node; the root has none.
    probability : tuple of float
        Probability of each node; those of a period's nodes sum to one.
    start : int
        Month index of the first period (:func:`models.instance.month_index`).
    months : int
        Months per period.
    """

    parent: tuple[Node | None, ...]
    probability: tuple[float, ...]
    start: int
    months: int

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, parents first."""
        return tuple(range(len(self.parent)))

    @cached_property
    def period(self) -> tuple[int, ...]:
        """Period of each node, counted from zero."""
        periods: list[int] = []
        for parent in self.parent:
            periods.append(0 if parent is None else periods[parent] + 1)
        return tuple(periods)

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """Nodes of the last period."""
        inner = set(self.parent)
        return tuple(n for n in self.nodes if n not in inner)

    @cached_property
    def _children(self) -> tuple[tuple[Node, ...], ...]:
        return tuple(tuple(m for m in self.nodes if self.parent[m] == n) for n in self.nodes)

    def children(self, n: Node) -> tuple[Node, ...]:
        """Nodes that follow a node."""
        return self._children[n]

    @cached_property
    def periods(self) -> int:
        """Number of periods."""
        return max(self.period) + 1

    @cached_property
    def _paths(self) -> tuple[tuple[Node, ...], ...]:
        paths: list[tuple[Node, ...]] = []
        for n, parent in enumerate(self.parent):
            paths.append((n,) if parent is None else (*paths[parent], n))
        return tuple(paths)

    def path(self, n: Node) -> tuple[Node, ...]:
        """Nodes from the root to ``n``, both included."""
        return self._paths[n]

    def ancestor(self, n: Node, lag: int) -> Node | None:
        """Return the node ``lag`` periods before ``n`` on its path, or None before the root.

        Examples
        --------
        >>> two_leaves = Tree((None, 0, 0), (1.0, 0.5, 0.5), start=0, months=3)
        >>> two_leaves.ancestor(2, 1), two_leaves.ancestor(2, 2)
        (0, None)
        """
        path = self._paths[n]
        return path[-1 - lag] if lag < len(path) else None

    def lands(self, n: Node, lag: int) -> bool:
        """Whether what is ordered at ``n`` arrives within the horizon."""
        return self.period[n] + lag < self.periods

    def first_month(self, n: Node) -> int:
        """Month index in which the period of ``n`` starts."""
        return self.start + self.period[n] * self.months

    def end_month(self, n: Node) -> int:
        """Month index just after the period of ``n``."""
        return self.first_month(n) + self.months


def chain(periods: int, start: int, months: int) -> Tree:
    """Build the tree of a deterministic case: one node a period."""
    return Tree(
        parent=(None, *range(periods - 1)),
        probability=(1.0,) * periods,
        start=start,
        months=months,
    )


def discount(rate_per_year: float, months: float) -> float:
    """Present value of one dollar ``months`` from the start, compounded by the month.

    Examples
    --------
    >>> round(discount(0.12, 12), 12)
    0.892857142857
    """
    return float((1.0 + rate_per_year) ** (-months / 12.0))
