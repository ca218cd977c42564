"""`polyglot --help` and the first line of a probe beside a bare interpreter: nothing heavy is imported before."""

import subprocess
import sys
import tempfile

from timing import Measure, arguments, report, seconds

MOST = 8  # bare starts
MOST_SECONDS = 1  # to the first line of a probe


def main():
    options = arguments(__doc__.splitlines()[0], runs=10)

    def start(*arguments):
        return seconds(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True))

    def turn():
        return start("-m", "polyglot", "--help"), start("-c", "pass"), first_line()

    turns = [turn() for _ in range(options.runs + 1)][1:]
    took = 1000 * sorted(ours for ours, _, _ in turns)[len(turns) // 2]
    claims = [
        Measure.of(
            f"`polyglot --help` ({took:.0f} ms), bare interpreter starts", [a / b for a, b, _ in turns], "", f"≤ {MOST}"
        ),
        Measure.of(
            "first line of `polyglot probe linear-map en fr`", [c for _, _, c in turns], "s", f"≤ {MOST_SECONDS} s"
        ),
        Measure.of("the same, bare interpreter starts", [c / b for _, b, c in turns], "", "none"),
    ]
    report(claims, options.out)


def first_line():
    """Return the seconds until a probe says what it is at; it is ended there."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "polyglot", "probe", "linear-map", "en", "fr", "--out", folder]
        begun = []

        def until_it_speaks():
            begun.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
            begun[0].stderr.readline()

        took = seconds(until_it_speaks)
        begun[0].kill()
        begun[0].communicate()
    return took


if __name__ == "__main__":
    main()
