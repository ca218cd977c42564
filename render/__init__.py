"""A result in, one self-contained HTML page out. Never computes a statistic.

May import: the result types of probe, and errors.
"""
