"""A company of many sites, searched site by site.

Halls, racks, space, grid and operation belong to one site. Sites meet in money, in contracts that
several of them may serve, in shares and in what holds for the company as a whole. So a plan is
put together from plans of sites (Dantzig and Wolfe): each site is a small problem of its own at
prices of what the sites share, and a master problem chooses among the plans found so far. What
the sites' problems prove adds up to a bound for the whole.

:mod:`blocks`
    What belongs to a site and what couples, read off the relations.
:mod:`bound`
    What prices and the sites' bounds prove for the whole.
:mod:`master`
    The best combination of known plans, and the prices that it puts on what is shared.
:mod:`mixed`
    A site's problem beside mixtures of what others may do.
:mod:`workshop`, :mod:`cluster`
    Where problems of sites are solved: here, in processes, by the workers of a Dask scheduler.
:mod:`windows`
    A plan to begin from, window of time by window.
:mod:`rounds`
    The search itself.
:mod:`plan`
    Which cases are searched so, and what is left to a search of the whole.
"""
