"""`make bench`: the quick benchmarks one after the other, in processes of their own."""

import subprocess
import sys
from pathlib import Path

QUICK = {
    "moments.py": ["--n", "30000", "--largest", "300000"],
    "ladder.py": ["--n", "6000", "--runs", "1"],
}


def main():
    folder = Path(__file__).parent
    for script, options in QUICK.items():
        print(f"== {script}", flush=True)
        subprocess.run([sys.executable, folder / script, *options], check=True)


if __name__ == "__main__":
    main()
