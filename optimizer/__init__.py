"""The machine of rackwatt: load, compress, solve, audit, tabulate and tell."""
