"""Runs: picked, scored once, drawn, heard."""
