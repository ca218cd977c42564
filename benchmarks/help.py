"""`polyglot --help` beside the start of a bare interpreter: the command line imports nothing heavy before it must."""

import subprocess
import sys

from timing import Measure, arguments, report, seconds

MOST = 8


def main():
    options = arguments(__doc__.splitlines()[0], runs=9)

    def start(*arguments):
        return seconds(lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True))

    turns = [(start("-m", "polyglot", "--help"), start("-c", "pass")) for _ in range(options.runs + 1)][1:]
    claim = f"`polyglot --help` ({1000 * sorted(a for a, _ in turns)[len(turns) // 2]:.0f} ms), bare interpreter starts"
    report([Measure.of(claim, [a / b for a, b in turns], "", f"≤ {MOST}")], options.out)


if __name__ == "__main__":
    main()
