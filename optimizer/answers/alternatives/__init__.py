"""Plans nearly as good as the best and as different as possible, and what all of them do."""
