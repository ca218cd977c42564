"""Visits of pages in a real browser: Debian's chromium, from a file, with the network off.

The browser is found through POLYGLOT_CHROMIUM or the path, axe-core through POLYGLOT_AXE or node_modules; what is
missing is skipped with its reason.
"""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("POLYGLOT_CHROMIUM") or shutil.which("chromium")
AXE = Path(os.environ.get("POLYGLOT_AXE") or "node_modules/axe-core/axe.min.js")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium (apt-get install chromium)")


class Visits:
    """Opens pages with the network off and remembers what they complain of and what they ask for."""

    def __init__(self, browser):
        self.browser = browser
        self.complaints = []
        self.contexts = []

    def open(self, url, *, width=1280, height=900, scheme="light", scripts=True, motion="reduce"):
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            offline=True,
            java_script_enabled=scripts,
            reduced_motion=motion,
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)
        page.goto(url)
        return page

    def _asked(self, request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(request.url)

    def close(self):
        for context in self.contexts:
            context.close()


def until(page, expression):
    """Wait until an expression holds; the page's policy forbids Playwright's own way, which is eval."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


def serious(page, options):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("options => axe.run(document, { resultTypes: ['violations'], ...options })", options)
    grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [(v["id"], v["nodes"][0]["html"][:200]) for v in grave]
