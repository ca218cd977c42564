"""A name in, an encoder out; an encoder and text in, per-layer embeddings out, cached on disk.

May import: errors. Knows nothing of corpora, statistics or pages.
"""
