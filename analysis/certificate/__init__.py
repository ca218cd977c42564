"""What a ladder shows: equivalence, nulls, power, refitted intervals, learning curves, heterogeneity."""
