"""Similarity of two clouds of paired rows: CKA, CCA, RSA, shape, shared neighbours."""
