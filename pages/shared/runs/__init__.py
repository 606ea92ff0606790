"""Runs: chosen, scored once, drawn, played."""
