"""Render the results as one page that needs nothing else: `page.html.jinja` with plotly's script inlined once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from segser_core import paper
from segser_core.formatting import percent
from segser_core.statistics.bootstrap import FEW_SPEAKERS, FEWEST_SPEAKERS
from segser_core.systems import BASELINE
from training.corpora import corpus_definitions, corpus_title
from training.tables.comparable import ComparableRuns, Row
from training.tables.figures import class_figure, sweep_figure
from training.tables.page_tables import (
    PageTable,
    build_agreement_table,
    build_corpus_table,
    build_diarization_table,
    build_difference_table,
    build_fold_and_seed_table,
    build_length_table,
    build_score_table,
)
from training.tables.rows import sweep_rows

PLOTLY_CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True}
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class PageFigure:
    """A figure under its title and over its note; `html` is empty where it was not run."""

    title: str
    html: str
    note: str


@dataclass(frozen=True)
class PageSection:
    """The part of the page that shows one group of comparable runs.

    Attributes:
        key: the section's id in the page.
        link: of the table of contents.
        heading: above it.
        was_run: whether there is a run or a sweep.
        notes: facts that its figures must be read with.
        tables: in order; those without a row are not shown.
        by_length: the table of lengths, whose note stands in its place where it has no row.
        figures: in order.
    """

    key: str
    link: str
    heading: str
    was_run: bool
    notes: tuple[str, ...]
    tables: tuple[PageTable, ...]
    by_length: PageTable
    figures: tuple[PageFigure, ...]


def render_page(groups: Sequence[ComparableRuns], wanted_s: float) -> str:
    """Render the whole page as HTML.

    Args:
        groups: of `group_comparable`.
        wanted_s: seconds at which clips are split by length, where enough are on both sides.
    """
    sections = [page_section(group, f"s{i}", wanted_s) for i, group in enumerate(groups)]
    return TEMPLATES.get_template("page.html.jinja").render(sections=sections, plotly=get_plotlyjs())


def page_section(group: ComparableRuns, key: str, wanted_s: float) -> PageSection:
    """Make the section of a group; see `render_page`."""
    was_run = bool(group.runs or group.sweeps)
    return PageSection(
        key=key,
        link=group.title,
        heading=group.title if was_run else f"{corpus_title(group.corpus)}: not run",
        was_run=was_run,
        notes=tuple(group_notes(group)),
        tables=(
            build_score_table(group),
            build_corpus_table(group),
            build_difference_table(group),
            build_fold_and_seed_table(group),
            build_agreement_table(group),
            build_diarization_table(group),
        ),
        by_length=build_length_table(group, wanted_s),
        figures=(segment_size_figure(group, key), alpha_figure(group, key), recall_by_class_figure(group, key)),
    )


def group_notes(group: ComparableRuns) -> list[str]:
    """List the facts that a group's figures must be read with."""
    lines = clip_notes(group)
    if group.runs and group.other_encoder:
        whose = ", which was trained on transcribed speech" if "whisper" in group.encoder.lower() else ""
        lines.append(
            f"The encoder is {group.encoder}{whose}; the paper's is {group.other_encoder}. Ours and the paper's "
            "differ in far more than the loss: systems may be compared down a column, never across."
        )
    for stages in (run.meta["stages"] for run in group.runs.values() if run.meta.get("stages")):
        lines.append(f"p-tapt: stage 1 tuned {stages[0]['stage_1']}; frozen throughout: {stages[0]['frozen']}.")
    definition = corpus_definitions().get(group.corpus)
    if definition and definition.info.sentences:
        sentences = definition.info.sentence_count
        lines.append(f"The corpus has {sentences}, so the words of every test clip were heard in training.")
    if group.is_the_papers and (both := paper.layer_average_note(group.corpus)):
        lines.append(
            f"The paper's {percent(both[0])} of layer-average knows the test speakers' own statistics; with those of "
            f"the training set it is {percent(both[1])}."
        )
    return lines


def clip_notes(group: ComparableRuns) -> list[str]:
    """Count the clips, speakers, folds and classes of a group's first run; none without a run."""
    if not group.runs:
        return []
    system, run = next(iter(group.runs.items()))
    summary = group.summaries[system]
    folds = f"{len(summary.per_fold)} fold{'s' * (len(summary.per_fold) > 1)}"
    speakers = f"{summary.speakers or 'an unknown number of'} speakers"
    classes = f"{len(run.labels)} classes: {', '.join(run.labels)}"
    lines = [f"{summary.utterances} test clips of {speakers}, {folds}, {classes}.", *speaker_notes(summary.speakers)]
    if lacking := [s.present for s in summary.per_fold if s.present < summary.pooled.present]:
        lines.append(f"Folds that lack a class: {len(lacking)}; their UAR is over {min(lacking)} classes or more.")
    return lines


def speaker_notes(speakers: int) -> list[str]:
    """Say what so few speakers mean for intervals by speaker; nothing where they are many or unknown."""
    if 0 < speakers < FEWEST_SPEAKERS:
        return [f"{speakers} speakers allow no interval by speaker: every interval holds for these speakers alone."]
    if 0 < speakers < FEW_SPEAKERS:
        return [f"{speakers} speakers are few, and folds share models: intervals by speaker are rather too narrow."]
    return []


def figure_html(figure: go.Figure, key: str) -> str:
    """Draw a figure as HTML for a page that holds plotly's script; `key` is its id."""
    return figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=key, config=PLOTLY_CONFIG, default_height=figure.layout.height
    )


def sweep_note(rows: Sequence[Row]) -> str:
    """Say on what a sweep was trained and scored."""
    if not rows:
        return "The text of the paper gives no value."
    each = sorted({(r["fold"], r["share"], r["training_clips"], r["development_clips"]) for r in rows})
    on = "; ".join(f"On fold {f}: {n} training clips ({100 * s:g} %), {dev} development clips" for f, s, n, dev in each)
    seeds = " or ".join(sorted({f"seed{'s' * (' ' in r['seeds'])} {r['seeds']}" for r in rows}))
    return (
        f"{on}; {seeds}. No test clip took part. The epoch was chosen on the same development clips, "
        "so the level is somewhat too high. The text of the paper gives no value, and nothing is read off its picture."
    )


def segment_size_figure(group: ComparableRuns, key: str) -> PageFigure:
    """Make Figure 2."""
    rows = sweep_rows(group, "segment-size")
    frames = paper.SEGMENT_FRAMES.get(group.corpus)
    papers = f" The paper chose {frames} frames." if frames and group.is_the_papers else ""
    html = figure_html(sweep_figure(rows, "segment-size"), f"{key}-2") if rows else ""
    return PageFigure("Figure 2: UAR against segment size", html, sweep_note(rows) + papers)


def alpha_figure(group: ComparableRuns, key: str) -> PageFigure:
    """Make Figure 3."""
    rows = sweep_rows(group, "alpha")
    chosen = ", ".join(f"{alpha:g} for {system}" for system, alpha in paper.ALPHA.items())
    papers = f" The paper chose {chosen}." if group.corpus == "ravdess" and group.is_the_papers else ""
    html = figure_html(sweep_figure(rows, "alpha"), f"{key}-3") if rows else ""
    return PageFigure("Figure 3: UAR against α", html, sweep_note(rows) + papers)


def recall_by_class_figure(group: ComparableRuns, key: str) -> PageFigure:
    """Make Figure 4."""
    shown = group.shown_by_class
    note = f"{' and '.join(shown)}, 95 % intervals (Wilson’s below 50 clips, else bootstrap, by clip)." if shown else ""
    if group.best == BASELINE and len(shown) > 1:
        note += f" {BASELINE} has the highest UAR of all; {shown[1]} is the best of the others."
    html = figure_html(class_figure(group), f"{key}-4") if shown else ""
    return PageFigure("Figure 4: recall by class", html, note)
