"""Which business, and where: strategies side by side, and the prices at which the answer turns."""
