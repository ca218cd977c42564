"""Insertion of a new language: its vocabulary, the objectives of all methods, and their losses."""
