"""Text in, aligned sentence pairs out: corpora, readers, concept groups, cleaning, language codes.

May import: errors. Knows nothing of models, statistics or pages.
"""
