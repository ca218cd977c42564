"""`make bench`: the quick benchmarks one after the other, each in a process of its own; one table at the end.

    python benchmarks/run.py                          quick sizes, a few minutes
    python benchmarks/run.py --all                    full sizes, an hour or more, on a machine that does nothing else
    python benchmarks/run.py --only encode cka        some of them

What was measured goes to benchmarks/results/NAME.json, with the machine; `table.py` writes README.md from these files.
A benchmark that fails, or misses its goal with an exit code, is shown and does not stop the others.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
QUICK = {
    "help": ["--runs", "5"],
    "moments": ["--n", "30000", "--largest", "300000"],
    "ladder": ["--n", "6000", "--runs", "1"],
    "retrieval": ["--rows", "8000"],
    "cka": ["--n", "50000", "--gram", "2000"],
    "encode": ["--n", "100"],
    "layers": ["--rows", "200"],
    "grouping": ["--rows", "50000"],
    "growth": ["--largest", "100000"],
    "out_of_core": ["--n", "200000", "--runs", "1", "--exact-rows", "1000"],
    "cached": ["--limit", "200", "--runs", "1"],
    "page": ["--runs", "3"],
}
FULL = {
    "help": ["--runs", "15"],
    "moments": ["--n", "100000"],
    "ladder": ["--n", "20000", "--runs", "3"],
    "retrieval": ["--rows", "50000", "--repeats", "1"],
    "cka": ["--n", "100000", "--gram", "8000"],
    "encode": ["--n", "2000"],
    "layers": [],
    "grouping": ["--rows", "1000000"],
    "growth": ["--largest", "1000000"],
    "out_of_core": ["--runs", "2"],
    "cached": ["--probes", "3", "--runs", "2"],
    "page": ["--runs", "5"],
    "train": ["--pairs", "2000", "--runs", "2"],
}
ASKED = {"accelerator": []}  # where there is a card


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="full sizes")
    parser.add_argument("--only", nargs="+", choices=sorted(FULL | ASKED), default=None)
    parser.add_argument("--corpus", help="text for train.py instead of the built-in corpus")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    options = parser.parse_args()
    sizes = FULL if options.all else QUICK
    given = {"train": ["--corpus", options.corpus]} if options.corpus else {}
    chosen = [name for name in sizes | ASKED if name in (options.only or sizes)]
    records = [run(name, (sizes | ASKED)[name], options.results, given.get(name, [])) for name in chosen]
    print()
    for record in records:
        for line in record["lines"]:
            print(f"{record['benchmark']:>10}  {line}")
    return int(any(record["exit_code"] for record in records))


def run(name, arguments, results, given):
    """Run a benchmark and keep what it found, with what it said and on which machine."""
    print(f"== {name} {' '.join([*arguments, *given])}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        out = ["--out", str(found)] if writes(name) else []
        command = [sys.executable, str(HERE / f"{name}.py"), *arguments, *given, *out]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        measured = json.loads(found.read_text(encoding="utf-8")) if found.is_file() else None
    print(done.stdout, flush=True)
    record = {
        "benchmark": name,
        "arguments": [*arguments, *(Path(item).name for item in given)],
        "exit_code": done.returncode,
        "machine": machine(),
        "found": measured,
        "lines": lines_of(measured, done.stdout),
    }
    results.mkdir(parents=True, exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return record


def writes(name):
    """Tell whether a benchmark can write JSON."""
    text = (HERE / f"{name}.py").read_text(encoding="utf-8")
    return '"--out"' in text or "from timing" in text


def lines_of(measured, said):
    """Return a line a claim: what a list of claims says of itself, else the last line that was printed."""
    lines = [line for line in said.splitlines() if line.strip()]
    if isinstance(measured, list):
        return [line for line in lines if any(line.startswith(claim["claim"]) for claim in measured)]
    return lines[-1:]


def machine():
    """Return what the numbers depend on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numpy", "torch", "sentence-transformers", "scikit-learn")},
    }


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
