"""Damaged recordings by the thousand, made from a real one in every format, through the command line and the app.

    python -m benchmarks.damage [--source CLIP] [--model NAME|DIR] [--share K]

Each recording is either analysed or refused in one line, and the others go on: the script ends with an error where
that is not so, where something is said twice or not at all, where a traceback shows, where 10 s pass without
progress, or where more memory is taken than `MOST_MB`.
"""

import argparse
import tempfile
from pathlib import Path

from tests.support.damage_checks import check_app, check_command
from tests.support.damaged_audio import make_damaged_corpus, make_ten_hours, write_damaged
from tests.support.paths import SAMPLE


def main() -> None:
    """Make the recordings, and put them through both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SAMPLE, help="a recording of a second and a half or more")
    parser.add_argument("--model", default="seg+tri-w")
    parser.add_argument("--share", type=int, default=1, help="take every k-th file alone")
    asked = parser.parse_args()
    files = dict(list(make_damaged_corpus(asked.source).items())[:: asked.share]) | {"ten hours.flac": make_ten_hours()}
    with tempfile.TemporaryDirectory() as folder:
        extra = write_damaged(Path(folder), files)
        print(f"{len(files) + len(extra) + 2} recordings", flush=True)
        print(check_command(Path(folder), files, extra, asked.model), flush=True)
    print(check_app(files), flush=True)


if __name__ == "__main__":
    main()
