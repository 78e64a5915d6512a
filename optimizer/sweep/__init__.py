"""Sweeps: many cases of one instance, computed on all cores or a cluster, nothing lost.

``design`` reads the sweep file and turns it into points, ``point`` solves one of them from what
the base has worked out already, ``running`` has workers do so, ``rows`` keeps what they found and
tells it as tables. What travels between them stands in ``points``: a base once, points as
changes, rows.
"""
