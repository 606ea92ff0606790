"""Record the epochs of a training: losses, rates, development figures, and which epoch was kept."""

import subprocess
from pathlib import Path
from typing import Any

from transformers import TrainerState

PLACES = ("epoch", "step")


def training_history(state: TrainerState, best_by: str) -> dict[str, Any]:
    """Make the record of one training.

    Args:
        state: of the Trainer at its end.
        best_by: the figure by which the kept epoch was chosen.

    Returns:
        `kept_epoch`, `chosen_by`, and `epochs`: a row an epoch.
    """
    rows: dict[int, dict[str, Any]] = {}
    for entry in state.log_history:
        if "train_runtime" in entry:
            continue  # the summary of all epochs
        row = rows.setdefault(round(entry["epoch"]), {"epoch": round(entry["epoch"])})
        kind = "development" if "eval_loss" in entry else ""
        figures = {name.removeprefix("eval_"): value for name, value in entry.items() if name not in PLACES}
        row.update({f"{kind}_{name}".lstrip("_"): value for name, value in figures.items()})
    epochs = [rows[epoch] for epoch in sorted(rows)]
    figure = f"development_{best_by}"
    scored = [row for row in epochs if figure in row]
    sign = -1 if best_by == "loss" else 1
    kept = max(scored, key=lambda row: sign * row[figure])["epoch"] if scored else None  # the first of equals
    return {"kept_epoch": kept, "chosen_by": figure, "epochs": epochs}


def code_commit() -> str | None:
    """Name the commit of the code, with `-dirty` where files differ from it; None outside of a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
