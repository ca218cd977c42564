"""Geometry of one cloud: isotropy, intrinsic dimension, language directions and their removal."""
