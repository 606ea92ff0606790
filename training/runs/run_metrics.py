"""Compute the metrics of a run before it is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segser_core.runs.run import Run
from segser_core.statistics.diarization_report import diarization_to_json
from segser_core.statistics.emotion_diarization import diarization_by_context
from segser_core.statistics.scores import compute_metrics
from training.runs.records import Records


def compute_run_metrics(records: Records, meta: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Compute the content of metrics.json, with the block `when` where recordings have stretches.

    Args:
        records: of the run.
        meta: its run.json.
        out: the folder that it will have.
    """
    run = Run(
        path=out,
        name=out.name,
        system=meta["system"],
        labels=tuple(meta["labels"]),
        corpus=meta["corpus"],
        protocol=meta["protocol"],
        seeds=tuple(meta["seeds"]),
        predictions=records.predictions,
        segments=records.segments,
        stretches=records.stretches,
        meta=dict(meta),
        stamp=(),
    )
    metrics, over_time = compute_metrics(run.predictions, run.labels), diarization_by_context(run)
    return metrics | ({"when": diarization_to_json(over_time, run.labels)} if over_time else {})
