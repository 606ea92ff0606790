"""How long `python -m segser_core models` takes, the whole process, and that it imports neither torch nor transformers.

python -m benchmarks.start
"""

import argparse
import subprocess
import sys

from benchmarks.turns import publish, seconds, spread

CALL = ["-m", "segser_core", "models"]
HEAVY = ("torch", "transformers", "sklearn", "streamlit")
TURNS = 15


def heavy_imports() -> list[str]:
    """Which of the heavy packages the call imports."""
    call = [sys.executable, "-X", "importtime", *CALL]
    said = subprocess.run(call, capture_output=True, text=True, check=True).stderr
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert "segser_core" in imported, said[-2000:]
    return sorted(imported & set(HEAVY))


def main() -> None:
    """Time a few calls after a first one that fills the disk's cache."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    found = heavy_imports()
    assert not found, f"imported: {', '.join(found)}"
    call = [sys.executable, *CALL]
    times = [seconds(lambda: subprocess.run(call, check=True, capture_output=True)) for _ in range(TURNS)]
    remark = f"none of {', '.join(HEAVY)} imported"
    publish("start", [spread("start of `python -m segser_core models`", "–", times, "s", "< 0.5 s", remark)])


if __name__ == "__main__":
    main()
