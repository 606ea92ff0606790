"""Plotly figures of predictions and runs."""
