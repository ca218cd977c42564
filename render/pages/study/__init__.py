"""The page of a study: what all results of a folder say together."""
