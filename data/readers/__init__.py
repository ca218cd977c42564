"""One module a file format: a path in, batches of aligned rows out."""
