"""What a ladder proves: equivalence, nulls, power, refitted intervals, learning curves, heterogeneity."""
