r"""Constant commitments: MW of mining that run in every hour of a period, whatever it costs.

A programme that is paid for a commitment may stop these MW at once. It pays for them in every
hour in which the grid state lets them run, called or not, so the pay is one number a period. What
it takes is that they run: in hours in which mining loses money as well. In hours in which they
are called they stand still and keep their room: of what could run by the connection, by the
month's highest MW and by the machines, as much is left as is committed. Where interruptible load
is cut, and in emergencies, nothing is asked of them.

Bands stay exact. Given what is committed and what stands, every hour is by itself again: mining
draws :math:`y` MW between a least and a most that grid state and calls say, earns by the best way
to draw them a revenue :math:`V(y)` that knows no price, and pays :math:`\epsilon y`. As :math:`V`
is concave, the best :math:`y` is the one without a commitment, moved to the nearer end where it
lies outside; and the machines that draw it follow from :math:`y` alone. So the choice changes
where it did before, with the price, and where the ends do: at a call, at a cut, in an emergency.
Only machines that lose money run as well now, and what they lose is linear in the price.
"""

from __future__ import annotations

from models.context import Context
from models.given import Band, Ppa, Site
from models.relation import Number, Relation, at_least, at_most, total
from models.tree import Node


def size_limit(c: Context, n: Node, s: Site, a: Ppa) -> Relation:
    r"""No more is committed than the programme takes.

    .. math:: Z_{nsa} \le \bar Z_{sa}
    """
    return at_most(c.committed[n, s, a], c.given.commitment_size[s, a])


def installed_limit(c: Context, n: Node, s: Site) -> Relation:
    r"""No more is committed than machines that are installed and fit to run draw.

    .. math::
        \sum_a Z_{nsa} \le
        \sum_{p \in s} \sum_k \eta_{f(p)} \omega_k \mu_k R_{npk}
    """
    return at_most(committed_mw(c, n, s), machines_mw(c, n, s))


def running_floor(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""What is committed and not called runs, even at a loss.

    .. math::
        \sum_{fk} \eta_f m_{nsfkb} \ge \sum_a \big( 1 - x^{\text{call}}_{nsba} \big) Z_{nsa}

    Not where interruptible load is cut, nor in emergencies.
    """
    g = c.given
    held = total(c.committed[n, s, a] for a in g.commitments[s] if (n, s, b, a) not in g.called)
    return at_least(drawn_mw(c, n, s, b), held)


def standing_limit(c: Context, n: Node, s: Site, b: Band) -> Relation:
    r"""What is called stands still among the machines.

    .. math::
        \sum_{fk} \eta_f m_{nsfkb} + \sum_a x^{\text{call}}_{nsba} Z_{nsa} \le
        \sum_{p \in s} \sum_k \eta_{f(p)} \omega_k \mu_k R_{npk}

    On the connection and in the highest MW of a month it keeps its room likewise.
    """
    used = total((drawn_mw(c, n, s, b), called_mw(c, n, s, b)))
    return at_most(used, machines_mw(c, n, s))


def drawn_mw(c: Context, n: Node, s: Site, b: Band) -> Number:
    r"""Utility MW that mining draws in a band.

    .. math:: \sum_{fk} \eta_f m_{nsfkb}
    """
    g = c.given
    return total(g.pue[f] * c.mining[n, s, f, k, b] for f, k in g.runs[n, s, b])


def called_mw(c: Context, n: Node, s: Site, b: Band) -> Number:
    r"""Committed MW that stand still in a band because they are called.

    .. math:: \sum_a x^{\text{call}}_{nsba} Z_{nsa}
    """
    g = c.given
    return total(
        c.committed[n, s, a] for a in g.commitments.get(s, ()) if (n, s, b, a) in g.called
    )


def committed_mw(c: Context, n: Node, s: Site) -> Number:
    r"""Utility MW that are committed at a site.

    .. math:: \sum_a Z_{nsa}
    """
    return total(c.committed[n, s, a] for a in c.given.commitments.get(s, ()))


def machines_mw(c: Context, n: Node, s: Site) -> Number:
    r"""Utility MW that all machines draw which are installed and fit to run.

    .. math:: \sum_{p \in s} \sum_k \eta_{f(p)} \omega_k \mu_k R_{npk}
    """
    g = c.given
    return total(
        (g.pue[f] * g.mining_ready[k] * g.rack_mw[k]) * c.racks[n, p, k]
        for f, k in g.mining_classes.get(s, ())
        for p in g.places_of_class[s, f, k]
    )


def commitment_pay(c: Context, n: Node, s: Site) -> Number:
    r"""What programmes pay for commitments, called or not, but where cut or stopped.

    .. math:: \sum_a \zeta_{nsa} Z_{nsa}
    """
    g = c.given
    return total(
        g.commitment_pay[n, s, a] * c.committed[n, s, a] for a in g.commitments.get(s, ())
    )
