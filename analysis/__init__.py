"""Mathematics on arrays: moments, map families, scores, inference, geometry. No text, no models, no files, no printing.

May import: errors, stages. Rows are sentences; pair members share the row index.
"""
