"""Plots for reports, drawn without a display and without matplotlib's global state."""
