"""Sweeps: many cases of one instance, computed on all cores or a cluster, nothing lost."""
