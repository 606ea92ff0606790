"""Put a trained run into the package, with a model card whose figures come from run folders alone.

python -m training.release.bundle RUN --changing RUN_ON_CHANGING …
"""

import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Annotated, Any

import typer
from safetensors import safe_open

from segser_core.bundled import BUNDLED
from segser_core.files import replace_folder
from segser_core.network.segments import FRAME_S
from segser_core.runs.reading import read_json
from segser_core.runs.run import Run, read_run
from segser_core.statistics.bootstrap import Interval
from segser_core.statistics.calibration import run_calibration
from segser_core.statistics.diarization_report import CONTEXT_TITLES
from segser_core.statistics.emotion_diarization import diarization_by_context
from segser_core.statistics.scores_by_corpus import CorpusScores, scores_by_corpus
from segser_core.systems import find_system
from training.config.command_line import APP, Command, run_command_line
from training.config.settings import Settings, read_settings
from training.corpora import corpus_title
from training.release.publish import copy_without_weights

MOST_BUNDLED_BYTES = 4_000_000
OWN_POSITIVES_MENDED = "2026-11-27"  # the date of the change to `choose_triplets`, as `run.json` writes it
LOSSES = {
    "baseline": "the utterance's negative log-likelihood, on single clips. It met no segment in training: its "
    "segments are a probe.",
    "seg+tri-w": "Eq. 3 over segments and utterance, with the triplet loss of Eq. 2 on utterances, weighed by Eq. 4 at"
    " α = $alpha. $joined of 100 training items are 2 to 4 clips of one speaker, one after the other, "
    "made anew in each epoch: a segment's target is the share of its time that each emotion has, and the "
    "utterance has no term of its own. The label is that of the most confident segment.",
}
DATA = {
    "ravdess": "RAVDESS (Livingstone and Russo 2018), speech and song in two English sentences, by the split of "
    "Pepino et al. (2021) that the paper uses: actors 1 to 20 train, 21 and 22 validate, 23 and 24 test. "
    "Calm counts as neutral.",
    "cremad": "CREMA-D (Cao et al. 2014), twelve English sentences, decoded from a copy at 11.025 kHz: actors 1001 "
    "to 1066 train, 1067 to 1075 validate, 1076 to 1091 test. The label is what was acted; most raters "
    "heard it in fewer than half of the clips. It has no surprise.",
    "emodb": "EMO-DB (Burkhardt et al. 2005), ten German sentences: speakers 03 and 08 to 12 train, 13 and 14 "
    "validate, 15 and 16 test. Boredom is left out; it has no surprise.",
}


def percent_with_interval(value: float, sure: Interval) -> str:
    """Format a fraction with its interval, in percent."""
    return f"{100 * value:.1f} ({100 * sure.low:.1f} to {100 * sure.high:.1f})"


def corpus_score_rows(run: Run) -> str:
    """Write a row of scores for each corpus, over the classes that it has, with intervals."""
    return "\n".join(
        f"| {scored_title(of.corpus)} | {of.utterances} | {of.speakers} | {len(of.classes)} | "
        f"{percent_with_interval(of.uar, of.uar_interval)} | {by_speaker(of)} | "
        f"{100 * of.accuracy:.1f} | {100 * of.macro_f1:.1f} |"
        for of in scores_by_corpus(run.test_rows, run.labels)
    )


def scored_title(name: str) -> str:
    """Write a scored corpus as people do: `cremad (heard)` is CREMA-D, scored on its raters' majority."""
    corpus, heard, _ = name.partition(" (heard)")
    return corpus_title(corpus) + (", as most raters heard it" if heard else "")


def by_speaker(of: CorpusScores) -> str:
    """Format an interval by speaker, in percent."""
    sure = of.uar_interval_by_speaker
    return "too few speakers" if sure is None else f"{100 * sure.low:.1f} to {100 * sure.high:.1f}"


def recall_rows(run: Run) -> str:
    """Write the rows of recall by class in each corpus."""
    rows, corpora = run.test_rows, sorted(run.test_rows["corpus"].unique())
    found = rows.assign(right=rows["true"] == rows["code"]).groupby(["label", "corpus"])["right"].agg(["mean", "size"])
    lines = [f"| class | {' | '.join(map(corpus_title, corpora))} |", "| --- |" + " --- |" * len(corpora)]
    for label in run.labels:
        cells = [found.loc[label, c] if (label, c) in found.index else None for c in corpora]
        shown = ("–" if cell is None else f"{100 * cell['mean']:.1f} of {cell['size']:.0f}" for cell in cells)
        lines.append(f"| {label} | {' | '.join(shown)} |")
    return "\n".join(lines)


def data_items(run: Run) -> str:
    """Write an item for each corpus: where it comes from, and its clips and speakers by split."""
    items = []
    for corpus, splits in run.meta["corpora"].items():
        counts = ", ".join(
            f"{splits[split]['clips']} clips of {splits[split]['speakers']} speakers {verb}"
            for split, verb in (("train", "train"), ("dev", "validate"), ("test", "test"))
        )
        items.append(fill(f"- {DATA[corpus]} Here {counts}.", 118, initial_indent="  ", subsequent_indent="    "))
    return "\n".join(items)


def loss_item(system: str, alpha: float | None, joined_share: float) -> str:
    """Say what a bundled system was trained by."""
    text = Template(LOSSES[system]).substitute(alpha=alpha, joined=round(100 * joined_share))
    return fill(f"- **System** `{system}`: {text}", 118, subsequent_indent="  ")


def augmentation_words(settings: Settings) -> str:
    """Name the effects that varied the training clips."""
    how = settings.augmentation
    effects = {
        "speed": how.speed,
        "reverberation": how.reverberation_s,
        "babble": how.babble_db,
        "noise": how.noise_db,
        "a low pass": how.low_pass_hz,
        "a telephone line": how.telephone,
        "codecs": how.codec,
        "level": True,
        "trimmed silence": how.trim,
    }
    *most, last = (name for name, used in effects.items() if used)
    return f"{', '.join(most)} and {last}"


def kept_epochs(run: Run) -> str:
    """Say which epoch of each training was kept."""
    trainings = read_json(run.path / "history.json")["trainings"]
    return ", ".join(f"{t['kept_epoch']} (seed {t['seed']})" for t in trainings)


def when_rows(runs: Sequence[Run]) -> str:
    """Write a row for each corpus of recordings whose emotion changes, and each context."""
    rows = []
    for run in runs:
        for context, of in diarization_by_context(run).items():
            sure = of.share_of_time.by_speaker or of.share_of_time.interval
            cells = [
                corpus_title(run.name),
                f"{of.recordings} of {of.speakers} speakers",
                CONTEXT_TITLES[context],
                percent_with_interval(of.share_of_time.value, sure),
                f"{100 * of.floor.value:.1f}",
                f"{100 * of.ceiling.value:.1f}",
                f"{of.boundary_error_s.value:.2f}",
            ]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def own_positive_note(run: Run) -> str:
    """Say whether a run was trained while a clip that a batch held twice could be its own positive."""
    if find_system(run.system).triplets is None:
        return "The system has none: it has no triplets."
    if run.meta["date"] > OWN_POSITIVES_MENDED:
        return "No clip was its own positive."
    return (
        f"The training ({run.meta['date']}) predates a mend of {OWN_POSITIVES_MENDED}: a clip that a batch held twice "
        "could be its own positive. `python -m benchmarks.own_positives` counts how often."
    )


def count_parameters(checkpoint: Path) -> int:
    """Count the weights that a checkpoint holds, from its header."""
    with safe_open(checkpoint / "model.safetensors", "pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    return sum(map(math.prod, shapes))


def model_card(run: Run, changing: Sequence[Run]) -> str:
    """Write the model card of a run on several corpora.

    Args:
        run: with its checkpoint and history.
        changing: runs of the same model on recordings whose emotion changes, each named after its corpus.
    """
    meta: dict[str, Any] = run.meta
    settings = read_settings(run.path / "config.yaml")
    config = read_json(run.path / "checkpoint" / "config.json")
    titles = [corpus_title(corpus) for corpus in meta["corpora"]]
    fields = {
        "system": run.system,
        "titles": f"{', '.join(titles[:-1])} and {titles[-1]}",
        "n_labels": len(run.labels),
        "labels": ", ".join(run.labels),
        "segment_s": f"{meta['segment_frames'] * FRAME_S:.1f}",
        "window_s": f"{settings.window_s:g}",
        "layer": meta["layer"],
        "parameters": f"{count_parameters(run.path / 'checkpoint') / 1e6:.1f}",
        "loss": loss_item(run.system, meta["alpha"], settings.joined.share),
        "data": data_items(run),
        "epochs": meta["epochs"],
        "kept": kept_epochs(run),
        "minutes": round(meta["seconds"] / 60),
        "device": meta["device"],
        "smoothing": f"{settings.label_smoothing:g}",
        "effects": augmentation_words(settings),
        "decay": f"{settings.average_decay:g}",
        "best_by": "UAR and share of time" if settings.best_by == "uar+time" else "UAR",
        "temperature": f"{config['calibration_temperature']:.2f}",
        "ece": f"{run_calibration(run).ece:.3f}",
        "positives": fill(own_positive_note(run), 100, subsequent_indent="  "),
        "seeds": ", ".join(map(str, run.seeds)),
        "scores": corpus_score_rows(run),
        "recall": recall_rows(run),
        "when": when_rows(changing),
    }
    return Template(Path(__file__).with_name("card.md").read_text()).substitute(fields)


app = typer.Typer(**APP)


@app.command(cls=Command)
def bundle(
    run: Annotated[Path, typer.Argument(help="the run on several corpora, with its checkpoint")],
    changing: Annotated[list[Path], typer.Option(help="the model's runs on recordings whose emotion changes")],
) -> None:
    """Put a trained run into the package, with its model card."""
    trained = read_run(run)
    text = model_card(trained, [read_run(path) for path in changing])
    folder = BUNDLED / trained.system
    with replace_folder(folder) as new:
        copy_without_weights(trained, new / "run", most_bytes=MOST_BUNDLED_BYTES)
        for file in (new / "run").iterdir():
            file.rename(new / file.name)
        (new / "run").rmdir()
        shutil.copytree(trained.path / "checkpoint", new / "checkpoint")
        (new / "README.md").write_text(text)
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    typer.echo(f"{folder.relative_to(BUNDLED.parents[1])}: {size / 2**20:.1f} MB")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command_line(app, "python -m training.release.bundle", arguments)


if __name__ == "__main__":
    sys.exit(main())
