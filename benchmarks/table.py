"""Write the table of README.md from the results: no number in it is typed by hand.

python benchmarks/table.py [--results FOLDER] [--readme FILE]
"""

import argparse
import json
from pathlib import Path

HERE = Path(__file__).parent
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
HEADER = "| benchmark | claim | measured | goal |\n|---|---|---|---|"
EMPTY = "| | nothing was measured yet: `make bench`, then `python benchmarks/table.py` | | |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--readme", type=Path, default=HERE / "README.md")
    options = parser.parse_args()
    paths = sorted(options.results.glob("*.json"))
    records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    text = options.readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    options.readme.write_text(f"{before}{START}\n{table(records)}\n{END}{after}", encoding="utf-8")


def table(records):
    """Return all rows, and under them the machine of each benchmark."""
    rows = [row for record in records for row in rows_of(record)] or [EMPTY]
    return "\n".join([HEADER, *rows, "", *(f"- {text}" for text in machines(records))]).rstrip()


def rows_of(record):
    name = f"`{' '.join([record['benchmark'], *record['arguments']])}`"
    if not isinstance(record["found"], list):
        return [f"| {name} | {line.replace('|', '/')} | | |" for line in record["lines"]]
    return [f"| {name} | {claim['claim']} | {measured(claim)} | {claim['goal']} |" for claim in record["found"]]


def measured(claim):
    """Return a ratio with its spread and both times, or a number with its spread."""
    spread = f"[{claim['low']:.3g}, {claim['high']:.3g}]"
    if "ratio" in claim:
        return f"{claim['ratio']:.2f} {spread} ({claim['peer_seconds']:.3g} s / {claim['ours_seconds']:.3g} s)"
    if "value" not in claim:
        return f"{claim['megabytes']:.2f} MB, {claim['figures']} figures in {claim['seconds']:.3g} s {spread}"
    return f"{claim['value']:.3g} {claim['unit']} {spread}".replace("  ", " ")


def machines(records):
    """Say once for each machine and day what was measured there."""
    said = {}
    for record in records:
        m = record["machine"]
        versions = ", ".join(f"{name} {number}" for name, number in m["versions"].items())
        key = f"{m['date']}: {m['processors']} × {m['processor']}, Python {m['python']}, {versions}"
        said.setdefault(key, []).append(f"{record['benchmark']} (load {m['load']})")
    return [f"{key}: {', '.join(names)}." for key, names in said.items()]


if __name__ == "__main__":
    main()
