"""What one more is worth, what was not chosen, and which defaults count: see :mod:`.explained`."""
