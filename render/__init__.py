"""A result in, one self-contained HTML page or a terminal summary out. Never computes a statistic.

May import: the result types of probe, and errors.

To show a new kind of result: a module in `pages/` with `TEMPLATE`, `view`, `headline` and `summary_parts` (see
`kinds.ResultModule`) that turns the result into the records of `view.py` with the drawings of `charts/`; a template
that extends `page.html` and uses the macros of `parts.html`; a line in `kinds.KINDS`.
"""
