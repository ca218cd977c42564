"""Sizes of the neighbourhoods of the criteria, apart from them: settings read these without the tensor library."""

CSLS_NEIGHBOURS = 10
MARGIN_NEIGHBOURS = 4
