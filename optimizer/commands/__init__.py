"""What each command does, once its options are read: :mod:`optimizer.cli` imports them late."""
