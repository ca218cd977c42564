"""Figures: one theme, marks, and the drawings that pages share."""
