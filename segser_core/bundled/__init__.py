"""The models and runs that come with the project."""

from pathlib import Path

from segser_core.errors import UnknownModelError

BUNDLED = Path(__file__).parent


def find_checkpoint(name_or_dir: str | Path) -> Path:
    """Find a model's weights: a bundled model by name, a run's, or the checkpoint folder itself.

    Raises:
        UnknownModelError: there is no such model, or the run has several; it says which there are.
    """
    path = Path(name_or_dir)
    for folder in (BUNDLED / path / "checkpoint", path, path / "checkpoint"):
        if (folder / "config.json").is_file():
            return folder
    several = sorted(p.parent.as_posix() for p in path.glob("checkpoint/seed-*/fold-*/config.json"))
    if several:
        raise UnknownModelError(f"{path} holds {len(several)} checkpoints; name one of {', '.join(several)}")
    known = ", ".join(p.parents[1].name for p in sorted(BUNDLED.glob("*/checkpoint/config.json"))) or "none"
    raise UnknownModelError(
        f"{str(name_or_dir)!r} is no model: expected a bundled one ({known}), a run folder with a checkpoint, or "
        "a folder with config.json and model.safetensors; see `python -m segser_core models`"
    )
