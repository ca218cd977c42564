"""Make the published study again, from the built-in corpus: `python reports/make.py`, or `make reports`.

    python reports/make.py [--only TEXT] [--limit N] [--out FOLDER] [--list] [--from STUDY-RESULTS]

English with five languages in two models: the linear map, and every layer; French from fewer pairs; then models and
languages side by side, and all on one page, reports/study.html. What is there already is left as it is, so an
interrupted run goes on where it stopped: delete a JSON file to measure it again. `--from` first takes what the results
of `polyglot study reports/study.toml` hold: its maps and layers of packaged models, and its tests. All pages of the
folder share one plotly.js beside them. Sentences and the explorer are shown for French in `minilm` only: the other
pages hold numbers and figures, which keeps the folder small.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

STUDY = Path(__file__).resolve().parent / "study"
MODELS = ("minilm", "me5-small")
TAKEN = (*MODELS, "use")
MEASURED = "polyglot study reports/study.toml"
PROBES = ("linear-map", "layers")
LANGUAGES = ("fr", "de", "es", "ru", "zh")
FEWER = (300, 600, 1000)  # pairs
WITH_TEXTS = (("minilm", "fr"),)
METHODS = (("map",), ("words",), ("align",), ("align", "--with-words"))  # French into minilm
DIGITS = 9  # of a published number


@dataclass(frozen=True)
class Part:
    """One result of the study: its name, what is typed for it, and the results that it reads."""

    name: str
    arguments: tuple[str, ...]
    reads: tuple[str, ...] = ()

    @property
    def has_page(self):
        """Whether the result has a page of its own."""
        return self.arguments[0] != "train"


def probed(probe, model, language, limit):
    """Return the part that measures one language in one model."""
    arguments = ["probe", probe, "en", language, "--model", model]
    if probe == "linear-map" and (limit in FEWER or (model, language) not in WITH_TEXTS):
        arguments.append("--no-texts")
    if limit:
        arguments += ["--limit", str(limit)]
    fewer = f"-{limit}" if limit in FEWER else ""
    return Part(f"{probe}-{model}-en-{language}{fewer}", tuple(arguments))


def compared(name, parts):
    """Return the part that puts results side by side."""
    reads = tuple(part.name for part in parts)
    return Part(f"compare-{name}", ("compare", *(f"reports/study/{one}.json" for one in reads)), reads)


def trained(method):
    """Return the part that inserts French by a method."""
    name = "-".join(word.removeprefix("--") for word in method)
    return Part(f"inserted-minilm-fr-{name}", ("train", "finetune", "--lang", "fr", "--method", *method))


def study(limit):
    """Return all parts, those that others read first."""
    parts = {
        (probe, model, language): probed(probe, model, language, limit)
        for probe in PROBES
        for model in MODELS
        for language in LANGUAGES
    }
    by_language = [
        compared(f"{probe}-{model}", [parts[probe, model, language] for language in LANGUAGES])
        for probe in PROBES
        for model in MODELS
    ]
    by_model = [
        compared(f"{probe}-en-{language}", [parts[probe, model, language] for model in MODELS])
        for probe in PROBES
        for language in LANGUAGES
    ]
    from_fewer = [probed("linear-map", "minilm", "fr", pairs) for pairs in FEWER]
    stressed = Part("layers-stress-minilm-en-fr", ("probe", "layers", "en", "fr", "--model", "minilm", "--stress"))
    inserted = [trained(method) for method in METHODS]
    return [*parts.values(), *from_fewer, stressed, *inserted, *by_language, *by_model]


def polyglot(*arguments, folder=None):
    """Run the command line in a process of its own."""
    subprocess.run([sys.executable, "-m", "polyglot", *arguments], check=True, cwd=folder)


def is_made(part, out):
    """Whether a result is there, and was made of the results that are there now."""
    path = out / f"{part.name}.json"
    if not path.is_file():
        return False
    if not part.reads:
        return True
    read = [one["file_fingerprint"] for one in json.loads(path.read_text(encoding="utf-8"))["results"]]
    return read == [fingerprint(out / f"{name}.json") for name in part.reads]


def fingerprint(path):
    """Return the fingerprint by which a comparison knows a file; empty for one that is missing."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.is_file() else ""


def make(part, out):
    """Type the command of a part in a folder of its own, so that it is recorded as anybody would type it."""
    with tempfile.TemporaryDirectory() as scratch:
        reports = Path(scratch) / "reports"
        reports.mkdir()
        (reports / "study").symlink_to(out)
        polyglot(*part.arguments, folder=scratch)
        (made,) = [
            *(path for path in reports.rglob("*.json") if path.parent.name != "study"),
            *Path(scratch).glob("runs/*/result.json"),
        ]
        publish(made.read_text(encoding="utf-8"), out / f"{part.name}.json")


def publish(text, path, *, command=""):
    """Write a result atomically and small: without the machine's name, digits that nobody reads, points of no text."""
    value = json.loads(text)
    value["provenance"]["host"] = ""
    if command:
        value["provenance"]["command"] = command
    for direction in value.get("directions", ()):
        if command or "--no-texts" in value["provenance"].get("command", ""):
            direction["explorer"] = []
        for rung in direction.get("rungs", {}).values():
            if (rung.get("r2_standardised") or {}).get("value", 0) < -1e6:  # of versions that divided by rounding
                rung["r2_standardised"] = None
    scratch = path.with_suffix(".part")
    small = json.dumps(rounded(value), ensure_ascii=False, separators=(",", ":"))
    scratch.write_text(small + "\n", encoding="utf-8")
    scratch.replace(path)


def take(study, out):
    """Publish the maps and layers of packaged models that a study of a file measured, and the study's own result."""
    text = (study / "study.json").read_text(encoding="utf-8")
    publish(text, out / "study.json", command=MEASURED)
    for cell in json.loads(text)["cells"]:
        kept = cell["kind"] in PROBES and cell["model"] in TAKEN and cell["corpus"] == "sentences" and cell["result"]
        told = cell["kind"] == "linear-map" and (cell["model"], cell["language"]) in WITH_TEXTS  # has a page of its own
        if kept and not told:
            path = out / f"{cell['kind']}-{cell['model']}-en-{cell['language']}.json"
            publish((study / cell["result"]).read_text(encoding="utf-8"), path, command=MEASURED)


def rounded(value):
    """Return a JSON value with its numbers to `DIGITS` significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="make only parts whose name holds this; repeat it")
    parser.add_argument("--limit", type=int, help="pairs of each probe, for a trial")
    parser.add_argument("--out", type=Path, default=STUDY, help="folder of the study")
    parser.add_argument("--list", action="store_true", help="print the parts, and which are there")
    parser.add_argument("--from", dest="taken", type=Path, help="results of the study of study.toml")
    options = parser.parse_args()
    out = options.out.resolve()
    if not options.list:
        out.mkdir(parents=True, exist_ok=True)
        if options.taken:
            take(options.taken, out)
    for part in study(options.limit):
        if options.only and not any(text in part.name for text in options.only):
            continue
        if options.list:
            print(f"{'made' if is_made(part, out) else '-':5} {part.name}: polyglot {' '.join(part.arguments)}")
            continue
        bring_up_to_date(part, out)
    if not options.list:
        polyglot("index", str(out))
        if any(out.glob("linear-map-*.json")):
            polyglot("study", str(out), "--out", str(out.parent / "study.html"))


def bring_up_to_date(part, out):
    """Make a result and its page where they are missing or stale; a comparison of missing results is left out."""
    absent = [name for name in part.reads if not (out / f"{name}.json").is_file()]
    if absent:
        print(f"{part.name}: left out, since {absent[0]} is not there")
        return
    path = out / f"{part.name}.json"
    stale = not is_made(part, out)
    if stale:
        print(f"{part.name}: polyglot {' '.join(part.arguments)}", flush=True)
        make(part, out)
    if part.has_page and (stale or not path.with_suffix(".html").is_file()):
        polyglot("report", str(path), "--plotlyjs", "directory")


if __name__ == "__main__":
    main()
