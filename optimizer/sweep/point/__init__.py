"""What a worker does with a point: from a few changed keys to an audited row."""
