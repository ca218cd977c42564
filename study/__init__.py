"""A matrix of models, corpora, languages, stages, methods and seeds, measured cell by cell, from one file.

May import `train`, `probe` and what is below them; only `commands` imports it.
"""
