"""Held-out rows, and what is measured on them before, during and after a run."""
