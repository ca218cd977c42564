"""Size of a page, and the time until a browser shows its first picture and has drawn its figures: 3 MB, 1.5 s, 3 s.

    python benchmarks/page.py [--result RESULT.json] [--runs 5] [--out FILE]

Without a result, the built-in corpus is probed in English and French. The page is opened from its file in Debian's
chromium (or POLYGLOT_CHROMIUM) with the network off, a fresh browser context each time, after one that warms up; the
clock is the page's own, from navigation to the frame that has the points of the first picture, and to the last figure
of the open tab. Ends with status 1 where a goal is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from timing import report

LARGEST_MB = 3.0
SLOWEST_SECONDS = 3.0
SLOWEST_HERO_SECONDS = 1.5
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# Runs in the page before its own scripts: notes when its first picture is there to be seen, and when the last figure of
# the open tab has been drawn.
WATCH = """
const seen = () => {
  const points = document.querySelector(".hero .sources");
  if (points && points.getBoundingClientRect().width > 0) {
    requestAnimationFrame(() => { document.documentElement.dataset.seen = performance.now(); });
  } else if (document.readyState !== "complete") {
    requestAnimationFrame(seen);
  }
};
requestAnimationFrame(seen);
addEventListener("DOMContentLoaded", () => {
  const open = (div) => div.clientWidth > 0 && !div.closest("details:not([open])");
  const inSight = () => [...document.querySelectorAll(".plot")].filter(open);
  const look = () => {
    const plots = inSight();
    if (plots.length && plots.every((div) => div.querySelector("svg.main-svg"))) {
      document.documentElement.dataset.drawn = `${performance.now()} ${plots.length}`;
    } else {
      requestAnimationFrame(look);
    }
  };
  look();
});
"""


@dataclass(frozen=True)
class Page:
    """What a page weighs and how fast it stands."""

    claim: str
    megabytes: float
    figures: int
    hero_seconds: float  # until the first picture is seen; nan for pages without one
    hero_low: float
    seconds: float  # until all figures are drawn
    low: float
    high: float
    processor_seconds: float  # of the page's main thread, which stand a busy machine
    goal: str

    def line(self):
        """Return the claim with its numbers."""
        return (
            f"{self.claim}: {self.megabytes:.2f} MB, first picture after {self.hero_seconds:.2f} s (least "
            f"{self.hero_low:.2f}), {self.figures} figures drawn in {self.seconds:.2f} s "
            f"[{self.low:.2f}, {self.high:.2f}], {self.processor_seconds:.2f} s of processor time (goal {self.goal})"
        )

    @property
    def met(self):
        """Whether all goals are met."""
        late = self.hero_seconds > SLOWEST_HERO_SECONDS or self.seconds > SLOWEST_SECONDS
        return self.megabytes <= LARGEST_MB and not late


def made_result():
    """Probe the built-in corpus, with few permutations: a page as rich as any."""
    from polyglot.data.open import open_corpus
    from polyglot.files import default_cache_dir
    from polyglot.models.cache import EmbeddingCache
    from polyglot.models.encoder import load_encoder
    from polyglot.probe.linear_map.run import LinearMapConfig, run
    from polyglot.probe.results.serialization import to_json

    encoder = load_encoder("minilm")
    bitext = open_corpus(None, ("en", "fr")).bitext("en", "fr")
    config = LinearMapConfig(permutations=2, costly_permutations=1, power_replicates=2)
    return to_json(run((encoder, encoder), bitext, config, cache=EmbeddingCache(default_cache_dir())))


@dataclass(frozen=True)
class Visit:
    """One opening of the page."""

    hero_seconds: float
    seconds: float
    processor_seconds: float
    figures: int


def visit(browser, address):
    """Open a page once, and wait until its figures stand."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    page.add_init_script(WATCH)
    tools = context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address)
    page.wait_for_selector("html[data-drawn]", state="attached", timeout=120_000)
    metrics = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    milliseconds, figures = page.evaluate("document.documentElement.dataset.drawn").split()
    seen = page.evaluate("document.documentElement.dataset.seen ?? 'nan'")
    context.close()
    return Visit(float(seen) / 1000, float(milliseconds) / 1000, metrics["TaskDuration"], int(figures))


def measure(text, runs):
    """Write the page of a result, weigh it, and time it in a browser."""
    from playwright.sync_api import sync_playwright
    from polyglot.render.write import write_page

    chromium = os.environ.get("POLYGLOT_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = write_page(text, Path(folder) / "page.html")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        visit(browser, path.as_uri())
        found = [visit(browser, path.as_uri()) for _ in range(runs)]
        browser.close()
        size = path.stat().st_size / 1e6
    seconds = [one.seconds for one in found]
    return Page(
        claim="page of a linear map",
        megabytes=size,
        figures=found[0].figures,
        hero_seconds=statistics.median(one.hero_seconds for one in found),
        hero_low=min(one.hero_seconds for one in found),
        seconds=statistics.median(seconds),
        low=min(seconds),
        high=max(seconds),
        processor_seconds=statistics.median(one.processor_seconds for one in found),
        goal=f"at most {LARGEST_MB:g} MB, {SLOWEST_HERO_SECONDS:g} s and {SLOWEST_SECONDS:g} s",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--result", type=Path, help="JSON of a result; by default one is made")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    text = options.result.read_text(encoding="utf-8") if options.result else made_result()
    found = measure(text, options.runs)
    print(json.dumps(asdict(found)))
    report([found], options.out)
    return int(not found.met)


if __name__ == "__main__":
    sys.exit(main())
