"""Answers to what the reader of a plan asks."""
