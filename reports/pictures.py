"""Make the pictures of the study from its pages: `python reports/pictures.py`.

They are taken in Debian's chromium (or POLYGLOT_CHROMIUM) by way of playwright.
`reports/study.png` is what is shown where the page of the study is shared; `docs/headline.png`, in README.md, is the
first screen of French in `minilm`, with its two still pictures.
"""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUDY = ROOT / "reports" / "study.html"
FRENCH = ROOT / "reports" / "study" / "linear-map-minilm-en-fr.html"
SHARED = {"width": 1200, "height": 630}  # what sites that show a shared page ask for
#: Closer together than on the page, so that every direction is on the picture.
CLOSER = """
header.title { padding-block: 1.25rem 0; } header.title .lead, .by, #search > h2, .caption, footer { display: none; }
main > section:not(#search) { display: none; }
main > section { padding-block: 0.75rem; border: 0; } .strip { height: 1.55rem; } .cell .value { padding: 0; }
.cell .value small { display: none; }
"""


def main():
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("POLYGLOT_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport=SHARED, device_scale_factor=2, offline=True, reduced_motion="reduce")
        page = context.new_page()
        page.goto(STUDY.as_uri())
        page.evaluate(
            "text => document.head.append(Object.assign(document.createElement('style'), {textContent: text}))", CLOSER
        )
        page.screenshot(path=STUDY.with_suffix(".png"))
        print(STUDY.with_suffix(".png"))
        page.goto(FRENCH.as_uri())
        box = page.locator(".first:visible").first.bounding_box()
        around = {"x": box["x"] - 24, "y": box["y"] - 8, "width": box["width"] + 48, "height": box["height"] + 8}
        page.screenshot(path=ROOT / "docs" / "headline.png", clip=around)
        print(ROOT / "docs" / "headline.png")
        browser.close()


if __name__ == "__main__":
    main()
