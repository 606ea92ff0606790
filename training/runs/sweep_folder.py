"""The folder of a sweep: its index and the predictions of each value and seed."""

import json
from pathlib import Path
from typing import Any

from segser_core.errors import RunError
from segser_core.files import read_json_object, write_whole

FORMAT = 1


def read_sweep(folder: Path) -> dict[str, Any]:
    """Read the content of a sweep's sweep.json.

    Raises:
        RunError: there is none, or it is damaged or of another format.
    """
    sweep = read_json_object(folder / "sweep.json", RunError)
    if sweep.get("format") != FORMAT:
        raise RunError(f"{folder}/sweep.json is of format {sweep.get('format')!r}; this version reads format {FORMAT}")
    if not isinstance(sweep.get("settings"), dict) or not isinstance(sweep.get("values"), list):
        raise RunError(f"{folder}/sweep.json lacks settings or values; expected the index of a sweep")
    return sweep


def predictions_file(out: Path, value: float, seed: int) -> Path:
    """Name the file with the predictions of a value and seed."""
    return out / "predictions" / f"{value:g}-seed-{seed}.parquet"


def write_index(out: Path, content: dict[str, Any]) -> None:
    """Write sweep.json, whole or as before."""
    text = json.dumps({"format": FORMAT, **content}, indent=2, ensure_ascii=False)
    write_whole(out / "sweep.json", f"{text}\n")
