"""What is in the way of a plan: limits that clash, and the cheapest change of each kind."""
