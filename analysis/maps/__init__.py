"""Maps from one space to another: the ladder of rungs, their closed forms, and estimators."""
