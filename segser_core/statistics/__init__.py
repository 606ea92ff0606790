"""Scores, intervals, tests and tables of runs."""
