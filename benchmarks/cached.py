"""A probe of the built-in corpus run twice from an empty cache: what the second run takes, and what the first took."""

import os
import subprocess
import sys
import tempfile

from timing import Measure, Ratio, arguments, report, seconds

PROBES = ("retrieval", "layers", "linear-map")
MOST_SECONDS = 4


def run(probe, folder, limit):
    command = [sys.executable, "-m", "polyglot", "probe", probe, "en", "fr", "--quiet", "--out", f"{folder}/reports"]
    limited = ["--limit", str(limit)] if limit else []
    environment = {**os.environ, "POLYGLOT_CACHE": f"{folder}/cache"}
    subprocess.run([*command, *limited], check=True, capture_output=True, env=environment)


def main():
    options = arguments(__doc__.splitlines()[0], probes=1, limit=0, runs=3)
    found = []
    for probe in PROBES[: options.probes]:
        times = []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                times.append([seconds(lambda f=folder, p=probe: run(p, f, options.limit)) for _ in range(2)])
        first, second = zip(*times, strict=True)
        ratios = sorted(a / b for a, b in times)
        size = f"{options.limit} pairs of the built-in corpus" if options.limit else "the built-in corpus"
        goal = f"≤ {MOST_SECONDS} s"
        found.append(Measure.of(f"second run of `polyglot probe {probe} en fr`, {size}", second, "s", goal))
        claim = f"first run of it against the second, {probe}"
        middle = ratios[len(ratios) // 2]
        found.append(
            Ratio(claim, found[-1].value, sorted(first)[len(first) // 2], middle, ratios[0], ratios[-1], "none")
        )
    report(found, options.out)


if __name__ == "__main__":
    main()
