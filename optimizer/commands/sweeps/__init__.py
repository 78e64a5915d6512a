"""``rackwatt sweep`` and what looks at a sweep: one module a command."""
