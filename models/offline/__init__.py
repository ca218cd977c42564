"""Models that install from the package index, one module each."""
