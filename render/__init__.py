"""A result in, one self-contained HTML page out. Never computes a statistic.

May import: the result types of probe, and errors.

To show a new kind of result: a module with `TEMPLATE`, `view`, `headline` and `summary_parts` (see `page.ResultModule`)
that turns the result into the records of `view.py` with the drawings of `figures.py`; a template that extends
`page.html` and uses the macros of `parts.html`; a line in `page.KINDS`.
"""
