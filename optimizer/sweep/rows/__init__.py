"""What was found: kept so that nothing is lost, and told as tables."""
