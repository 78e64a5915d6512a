"""What differs between two plans: in what was given, in what is done, and in what it is worth."""
