"""What 10⁸ pairs would cost, from what was measured: writes the plan in docs/scale.md.

After `run.py`: python benchmarks/plan.py [--results FOLDER] [--page FILE]

Constants that results hold are taken from them. What an accelerator does is assumed, and said to be.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
START, END = "<!-- plan: start -->", "<!-- plan: end -->"
PAIRS, WIDTH = 10**8, 384
#: Assumed, for one accelerator of the kind with 80 GB: nothing here was measured on one.
ASSUMED_SENTENCES_PER_SECOND = 10_000
ASSUMED_FLOPS = 2e13
ASSUMED_DISK_BYTES_PER_SECOND = 2e9
POOL = 10**6
CERTIFICATE_ROWS = 10**5


@dataclass(frozen=True)
class Constants:
    """What was measured, a row or a sentence at a time."""

    sentences_per_second: float
    import_seconds: float
    grouping_seconds: float
    grouping_bytes: float
    moments_seconds: float


def claims(results, name):
    return json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["found"]


def constants(results):
    """Read the constants; moments are measured 128 wide and grow with the square of the width."""
    steps = {claim["claim"].split(" at ")[0]: claim for claim in claims(results, "growth") if " at " in claim["claim"]}
    per_row = {name: c["value"] / int(c["claim"].split()[-2]) for name, c in steps.items()}
    groups = claims(results, "grouping")
    rate = next(
        claim["value"] for claim in claims(results, "encode") if claim.get("unit") == "sentences per processor second"
    )
    return Constants(
        sentences_per_second=rate,
        import_seconds=per_row["import"],
        grouping_seconds=per_row["grouping"],
        grouping_bytes=(groups["peak_mib"] - groups["peak_mib_generate"]) * 2**20 / groups["rows"],
        moments_seconds=per_row["moments"] * (WIDTH / 128) ** 2,
    )


def span(seconds):
    """Return a duration as it is read.

    >>> span(90), span(7200), span(400_000)
    ('1.5 min', '2.0 h', '4.6 d')
    """
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def size(count):
    return f"{count / 1e12:.2f} TB" if count >= 1e12 else f"{count / 1e9:.0f} GB"


def rows(c):
    """Return the steps of the plan: step, one accelerator, eight, memory, disk, and where the constant is from."""
    encode = 2 * PAIRS / ASSUMED_SENTENCES_PER_SECOND
    vectors = 2 * PAIRS * WIDTH
    reading = 4 * vectors / ASSUMED_DISK_BYTES_PER_SECOND
    moments = max(reading, PAIRS * 6 * WIDTH**2 / ASSUMED_FLOPS)
    search = 2 * 2 * PAIRS * POOL * WIDTH / ASSUMED_FLOPS
    return [
        ("import to .arrow", span(PAIRS * c.import_seconds), "the same", "< 1 GB", "text × 1", "core, measured"),
        (
            "concept groups",
            span(PAIRS * c.grouping_seconds),
            "the same",
            size(PAIRS * c.grouping_bytes),
            "–",
            "core, measured; memory extrapolated",
        ),
        ("encode both sides", span(encode), span(encode / 8), "1 block", size(4 * vectors), "rate assumed"),
        ("… kept as float16", span(encode), span(encode / 8), "1 block", size(2 * vectors), "rate assumed"),
        (
            "… on one core, on eight",
            span(2 * PAIRS / c.sentences_per_second),
            span(2 * PAIRS / c.sentences_per_second / 8),
            "1 block",
            size(4 * vectors),
            "core, measured",
        ),
        (
            "moments, CKA, closed-form maps",
            span(moments),
            span(moments / 8),
            "< 1 GB",
            "–",
            "reading at an assumed 2 GB/s a process",
        ),
        (
            "… on one core, on eight",
            span(PAIRS * c.moments_seconds),
            span(PAIRS * c.moments_seconds / 8),
            "< 1 GB",
            "–",
            "core, measured; all-reduce",
        ),
        (
            f"exact CSLS against a pool of {POOL:.0e}".replace("e+0", "0^"),
            span(search),
            span(search / 8),
            f"{size(4 * POOL * WIDTH)} for the pool",
            "–",
            "flops assumed; two passes",
        ),
        (
            "certificate (ladder, nulls, power)",
            "as at the limit",
            "the same",
            size(2 * 8 * 10 * CERTIFICATE_ROWS * WIDTH),  # both directions, the predictions of ten rungs
            "–",
            f"on a sample: --limit {CERTIFICATE_ROWS}",
        ),
    ]


def plan(c):
    header = "| step | one | eight | memory | disk | constant |\n|---|---|---|---|---|---|"
    measured = (
        f"Measured on one core of this kind of processor: {c.sentences_per_second:.0f} sentences/s (minilm), import "
        f"{1 / c.import_seconds:.0f} and grouping {1 / c.grouping_seconds:.0f} rows/s, {c.grouping_bytes:.0f} bytes of "
        f"memory a row in grouping, moments {1 / c.moments_seconds:.0f} rows/s at width {WIDTH}."
    )
    assumed = (
        f"Assumed for an accelerator, not measured: {ASSUMED_SENTENCES_PER_SECOND} sentences/s of such a model, "
        f"{ASSUMED_FLOPS:.0e} float32 operations/s, disks of {ASSUMED_DISK_BYTES_PER_SECOND / 1e9:.0f} GB/s."
    )
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows(c))
    return f"{header}\n{lines}\n\n{measured}\n{assumed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "scale.md")
    options = parser.parse_args()
    text = options.page.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    options.page.write_text(f"{before}{START}\n{plan(constants(options.results))}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
