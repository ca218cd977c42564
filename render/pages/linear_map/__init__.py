"""The page of a linear-map result."""
