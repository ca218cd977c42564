"""Experiments: (encoder, pairs, config) in, one frozen result out. Never writes HTML.

May import: models, data, analysis, errors.
"""
