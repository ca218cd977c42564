"""Exact nearest-neighbour search, its ranks, scores and hubs."""
