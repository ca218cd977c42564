"""The three training stages, and how a new language enters at any of them.

May import: probe, models, data, analysis, errors.
"""
