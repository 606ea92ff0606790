"""The results as one page that needs nothing else: tables as HTML, figures with plotly's script inlined once."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from segser_core import paper
from segser_core.formatting import percent
from segser_core.statistics.bootstrap import FEW_SPEAKERS, FEWEST_SPEAKERS
from segser_core.systems import BASELINE
from training.corpora import corpus_definitions, corpus_title
from training.tables import html as tables
from training.tables.comparable import Row, Section
from training.tables.figures import class_figure, sweep_figure
from training.tables.rows import sweep_rows

CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True}


def page(sections: Sequence[Section], wanted_s: float) -> str:
    """The whole page, as HTML.

    Args:
        sections: of `sections.sections`.
        wanted_s: seconds at which clips are split by length, where enough are on both sides.
    """
    parts = [_section(section, f"s{i}", wanted_s) for i, section in enumerate(sections)]
    links = [f'<a href="#s{i}">{escape(_title(s))}</a>{"" if _any(s) else ": not run"}' for i, s in enumerate(sections)]
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        links="".join(f"<li>{link}</li>" for link in links), sections="\n".join(parts), plotly=get_plotlyjs()
    )


def _any(section: Section) -> bool:
    return bool(section.runs or section.sweeps)


def _title(section: Section) -> str:
    return f"{corpus_title(section.corpus)}, {section.protocol}, {section.encoder}"


def _section(section: Section, key: str, wanted_s: float) -> str:
    parts = [_notes(section), tables.scores(section), tables.differences(section), tables.singles(section)]
    parts += [tables.agreement(section), tables.length(section, wanted_s)]
    parts += [_figure_2(section, key), _figure_3(section, key), _figure_4(section, key)]
    body = "".join(parts)
    head = f"<h2>{escape(_title(section))}</h2>"
    if _any(section):
        return f'<section id="{key}">{head}{body}</section>'
    head = f"<h2>{escape(corpus_title(section.corpus))}: not run</h2>"
    return f'<section id="{key}">{head}<details><summary>What the paper reports</summary>{body}</details></section>'


def _notes(section: Section) -> str:
    """What must be known before a figure is believed."""
    notes = []
    for run, of in ((run, section.summaries[s]) for s, run in list(section.runs.items())[:1]):
        fold = f"{len(of.per_fold)} fold{'s' * (len(of.per_fold) > 1)}"
        speakers = f"{of.speakers or 'an unknown number of'} speakers"
        notes.append(
            f"{of.utterances} test clips of {speakers}, {fold}, {len(run.labels)} classes: {', '.join(run.labels)}."
        )
        notes += _about_speakers(of.speakers)
        if lacking := [s.present for s in of.per_fold if s.present < of.pooled.present]:
            notes.append(f"Folds that lack a class: {len(lacking)}; their UAR is over {min(lacking)} classes or more.")
    if section.runs and section.other_encoder:
        whose = ", which was trained on transcribed speech" if "whisper" in section.encoder.lower() else ""
        notes.append(
            f"The encoder is {section.encoder}{whose}; the paper's is {section.other_encoder}. Ours and the paper's "
            "differ in far more than the loss: systems may be compared down a column, never across."
        )
    for stages in (run.meta["stages"] for run in section.runs.values() if run.meta.get("stages")):
        notes.append(f"p-tapt: stage 1 tuned {stages[0]['stage_1']}; frozen throughout: {stages[0]['frozen']}.")
    definition = corpus_definitions().get(section.corpus)
    if definition and definition.info.sentences:
        notes.append(
            f"The corpus has {definition.info.sentence_count}, so the words of every test clip were heard in training."
        )
    if section.is_the_papers and (both := paper.layer_average_note(section.corpus)):
        notes.append(
            f"The paper's {percent(both[0])} of layer-average knows the test speakers' own statistics; with those "
            f"of the training set it is {percent(both[1])}."
        )
    return f'<ul class="notes">{"".join(f"<li>{escape(n)}</li>" for n in notes)}</ul>' if notes else ""


def _about_speakers(speakers: int) -> list[str]:
    if 0 < speakers < FEWEST_SPEAKERS:
        return [f"{speakers} speakers allow no interval by speaker: every interval holds for these speakers alone."]
    if 0 < speakers < FEW_SPEAKERS:
        return [f"{speakers} speakers are few, and folds share models: intervals by speaker are rather too narrow."]
    return []


def _figure(title: str, key: str, figure: go.Figure | None, note: str) -> str:
    """A figure under its title and over its note; without one, that it was not run."""
    drawn = f"<p>{tables.NOT_RUN}</p>"
    if figure is not None:
        drawn = figure.to_html(
            full_html=False, include_plotlyjs=False, div_id=key, config=CONFIG, default_height=figure.layout.height
        )
    return f'<h3>{title}</h3><figure>{drawn}<figcaption class="under">{note}</figcaption></figure>'


def _swept(rows: Sequence[Row]) -> str:
    """On what a sweep was trained and scored."""
    if not rows:
        return "The text of the paper gives no value."
    each = sorted({(r["fold"], r["share"], r["training_clips"], r["development_clips"]) for r in rows})
    on = "; ".join(f"On fold {f}: {n} training clips ({100 * s:g} %), {dev} development clips" for f, s, n, dev in each)
    seeds = " or ".join(sorted({f"seed{'s' * (' ' in r['seeds'])} {r['seeds']}" for r in rows}))
    return (
        f"{on}; {seeds}. No test clip took part. The epoch was chosen on the same development clips, "
        "so the level is somewhat too high. The text of the paper gives no value, and nothing is read off its picture."
    )


def _figure_2(section: Section, key: str) -> str:
    rows = sweep_rows(section, "segment-size")
    chosen = paper.SEGMENT_FRAMES.get(section.corpus)
    said = f" The paper chose {chosen} frames." if chosen and section.is_the_papers else ""
    drawn = sweep_figure(rows, "segment-size") if rows else None
    return _figure("Figure 2: UAR against segment size", f"{key}-2", drawn, _swept(rows) + said)


def _figure_3(section: Section, key: str) -> str:
    rows = sweep_rows(section, "alpha")
    chosen = ", ".join(f"{alpha:g} for {system}" for system, alpha in paper.ALPHA.items())
    said = f" The paper chose {chosen}." if section.corpus == "ravdess" and section.is_the_papers else ""
    return _figure(
        "Figure 3: UAR against α", f"{key}-3", sweep_figure(rows, "alpha") if rows else None, _swept(rows) + said
    )


def _figure_4(section: Section, key: str) -> str:
    shown = section.shown_by_class
    note = f"{' and '.join(shown)}, 95 % intervals (Wilson’s below 50 clips, else bootstrap, by clip)." if shown else ""
    if section.best == BASELINE and len(shown) > 1:
        note += f" {BASELINE} has the highest UAR of all; {shown[1]} is the best of the others."
    return _figure("Figure 4: recall by class", f"{key}-4", class_figure(section) if shown else None, note)
