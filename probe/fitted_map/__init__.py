"""`polyglot map`: a fitted map, written, applied and exported."""
