"""The folder of a sweep: its index and the predictions of each value and seed."""

import json
from pathlib import Path
from typing import Any

from segser_core.errors import SettingError

FORMAT = 1


def read_sweep(folder: Path) -> dict[str, Any]:
    """The content of a sweep's sweep.json.

    Raises:
        SettingError: there is none, or it is damaged or of another format.
    """
    try:
        found = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
        if found["format"] == FORMAT and isinstance(found["settings"], dict) and isinstance(found["values"], list):
            return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingError(f"{folder} holds no sweep that can be read: {error!r}; expected sweep.json") from error
    raise SettingError(f"{folder}/sweep.json is of format {found['format']!r}; this version reads format {FORMAT}")


def predictions_of(out: Path, value: float, seed: int) -> Path:
    """Where the predictions of a value and seed lie."""
    return out / "predictions" / f"{value:g}-seed-{seed}.parquet"


def write_json(out: Path, content: dict[str, Any]) -> None:
    """sweep.json, new as a whole or as it was."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / "sweep.json.part"
    part.write_text(json.dumps({"format": FORMAT, **content}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.rename(out / "sweep.json")
