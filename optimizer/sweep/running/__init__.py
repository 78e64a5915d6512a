"""Who computes the points: processes of this machine, or a cluster; and who sees to it."""
