"""Settings that train on a made-up corpus in a second or two."""

from pathlib import Path

from training.config.settings import Settings, settings_from

CORPUS_LABELS = ("neutral", "sad")


def quick_settings(folder: Path, **changes) -> Settings:
    """Make settings that train on the made-up corpus in a second or two."""
    values = {
        "encoder": str(folder / "encoder"),
        "segment_frames": 16,
        "stride_frames": 8,
        "epochs": 2,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "head_learning_rate": 1e-2,
        "system": "seg+tri-w",
        "tapt": {"clusters": [2, 5], "tuning_steps": 3, "pretraining_steps": 3},
    }
    return settings_from(values | changes)
