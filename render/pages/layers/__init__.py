"""The page of a layers result."""
