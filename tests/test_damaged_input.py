"""Damaged recordings, runs and settings, made by the thousand: read or refused in one line, and nothing else."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segser_core.audio.loading import load_audio
from segser_core.errors import AudioError, RunError
from segser_core.runs.run import read_run
from tests.support import damage_checks, damaged_audio, paths
from tests.support.networks import tiny_model
from tests.support.run_folders import (
    RUN_LABELS,
    make_embeddings,
    make_predictions,
    make_segments,
    run_meta,
    write_run_folder,
)

EACH = settings(max_examples=200, deadline=None, derandomize=True, database=None)
MANY = settings(max_examples=4_000, deadline=None, derandomize=True, database=None)
FILES = ("run.json", "predictions.parquet", "segments.parquet", "embeddings.npz")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return damaged_audio.make_damaged_corpus(paths.SAMPLE)


@pytest.fixture
def model(tmp_path) -> str:
    tiny_model().save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def some(files: dict[str, bytes], step: int) -> dict[str, bytes]:
    return dict(list(files.items())[::step])


def test_there_are_a_thousand_and_each_is_another(files):
    assert len(files) > 1000
    assert len(set(files.values())) > 1000
    assert len(files["bomb.wav"]) < 1e6


def heard_or_refused(files, model, folder: Path) -> None:
    (folder / "recordings").mkdir()
    extra = damaged_audio.write_damaged(folder / "recordings", files)
    print(damage_checks.check_command(folder / "recordings", files, extra, model))


def test_the_command_line_hears_or_refuses_each_in_one_line(files, model, tmp_path):
    heard_or_refused(some(files, 10), model, tmp_path)


@pytest.mark.slow
def test_the_command_line_hears_or_refuses_all(files, model, tmp_path):
    long = damaged_audio.make_ten_hours()
    assert len(long) < 1e6
    heard_or_refused(files | {"ten hours.flac": long}, model, tmp_path)


def test_the_app_hears_or_refuses_each_in_one_line(files):
    print(damage_checks.check_app(some(files, 50)))


@pytest.mark.slow
def test_the_app_hears_or_refuses_more(files):
    print(damage_checks.check_app(some(files, 4)))


def spliced(contents: dict[str, bytes]) -> st.SearchStrategy[tuple[str, bytes]]:
    """One of some files with up to eight stretches of it replaced, perhaps cut off: its name and what is left of it."""

    def build(name, edits, end):
        content = bytearray(contents[name])
        for place, new in edits:
            at = int(place * len(content))
            content[at : at + len(new)] = new
        return name, bytes(content[: int(end * len(content))])

    share = st.floats(0, 1)
    edits = st.lists(st.tuples(share, st.binary(min_size=1, max_size=8)), max_size=8)
    return st.builds(build, st.sampled_from(sorted(contents)), edits, st.one_of(st.just(1.0), share))


WHOLE = damaged_audio.in_every_format(load_audio(paths.SAMPLE)[:8000])


def decode(found: tuple[str, bytes]) -> None:
    try:
        samples = load_audio(found[1], max_duration_s=60)
        assert np.isfinite(samples).all()
        assert len(samples) >= 400
    except AudioError as refused:
        assert str(refused).isprintable()


test_the_decoder_is_fuzzed = EACH(given(spliced(WHOLE))(decode))
test_the_decoder_is_fuzzed_at_length = pytest.mark.slow(MANY(given(spliced(WHOLE))(decode)))


@pytest.fixture(scope="module")
def a_run(tmp_path_factory) -> Path:
    return write_run_folder(
        tmp_path_factory.mktemp("runs") / "a", segments=make_segments(), embeddings=make_embeddings()
    )


def read(a_run: Path, draw: st.DataObject, strategy: st.SearchStrategy[tuple[str, bytes]]) -> None:
    name, content = draw.draw(strategy)
    whole = (a_run / name).read_bytes()
    try:
        (a_run / name).write_bytes(content)
        read_run(a_run).embeddings()
    except RunError as refused:
        assert str(refused)
    finally:
        (a_run / name).write_bytes(whole)


@EACH
@given(draw=st.data())
def test_the_reader_of_runs_is_fuzzed(a_run, draw):
    read(a_run, draw, spliced({name: (a_run / name).read_bytes() for name in FILES}))


@pytest.mark.slow
@MANY
@given(draw=st.data())
def test_the_reader_of_runs_is_fuzzed_at_length(a_run, draw):
    read(a_run, draw, spliced({name: (a_run / name).read_bytes() for name in FILES}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


@EACH
@given(said=st.dictionaries(st.sampled_from([*run_meta(), "format", "seeds", "encoder", "aggregate"]), VALUES))
def test_any_json_as_a_runs_description(a_run, said):
    whole = (a_run / "run.json").read_bytes()
    try:
        (a_run / "run.json").write_text(json.dumps(run_meta(format=1) | said))
        read_run(a_run)
    except RunError as refused:
        assert str(refused)
    finally:
        (a_run / "run.json").write_bytes(whole)


@pytest.mark.parametrize(
    ("column", "values", "why"),
    [
        ("utterance_id", [["a"]], "lists, structures or bytes"),
        ("speaker", [{"a": 1}], "lists, structures or bytes"),
        ("seed", "first", "whole number"),
        ("fold", 0.5, "whole number"),
        ("p_sad", 1.5, "share from 0 to 1"),
        ("confidence", -0.1, "share from 0 to 1"),
        ("p_sad", "much", "finite number"),
        ("duration_s", np.inf, "finite number"),
        ("label", b"\xff", "lists, structures or bytes"),
    ],
)
def test_a_column_that_holds_something_else(column, values, why, tmp_path):
    path = write_run_folder(tmp_path / "a")
    wrong = values * 60 if isinstance(values, list) else values
    make_predictions().assign(**{column: wrong}).to_parquet(path / "predictions.parquet")
    with pytest.raises(RunError, match=why):
        read_run(path)


@pytest.mark.parametrize("label", ["<b>sad</b>", "sad\n", "", "s" * 41, "\u202esad"])
def test_labels_are_names_without_markup(label, tmp_path):
    path = write_run_folder(tmp_path / "a")
    (path / "run.json").write_text(json.dumps(run_meta(format=1, labels=[*RUN_LABELS, label])))
    with pytest.raises(RunError, match="without markup"):
        read_run(path)


def test_text_that_is_no_text_is_found_when_the_run_is_read(tmp_path):
    path = write_run_folder(tmp_path / "a", predictions=make_predictions().assign(speaker="A-speaker-of-some-length"))
    content = (path / "predictions.parquet").read_bytes()
    (path / "predictions.parquet").write_bytes(content.replace(b"A-speaker-of-some-length", b"\xff" * 24))
    with pytest.raises(RunError, match="cannot be read as Parquet"):
        read_run(path)


def test_metadata_of_a_table_names_no_types(tmp_path):
    """pandas would take types, and an index, from it."""
    path = write_run_folder(tmp_path / "a")
    content = (path / "predictions.parquet").read_bytes().replace(b'"float64"', b'"nonesuc"')
    (path / "predictions.parquet").write_bytes(content)
    pd.testing.assert_frame_equal(read_run(path).predictions, make_predictions(), check_dtype=False)


def test_a_run_with_markup_in_its_texts_shows_it_as_text(tmp_path, monkeypatch):
    """Speakers, names and paths as tags, on each page that shows runs; charts draw text alone, whatever it says."""
    from tests.support.app_test import open_page, run_page
    from tests.support.made_run import make_runs

    tag = "<img src=x onerror=alert(1)>"
    make_runs(tmp_path, 60)
    for folder in (tmp_path / "runs").iterdir():
        for file in ("predictions.parquet", "segments.parquet"):
            table = pd.read_parquet(folder / file)
            table["utterance_id"] = table.utterance_id + tag
            for column in {"speaker", "gender", "session", "path", "text", "style"} & set(table):
                table[column] = table[column].astype(str) + tag
            table.to_parquet(folder / file)
        arrays = dict(np.load(folder / "embeddings.npz"))
        arrays |= {name: np.char.add(arrays[name], tag) for name in arrays if name.endswith("_id")}
        np.savez(folder / "embeddings.npz", allow_pickle=False, **arrays)
    shutil.move(tmp_path / "runs" / "baseline", tmp_path / "runs" / "<b>run")
    monkeypatch.setenv("SEGSER_RUNS", str(tmp_path / "runs"))
    for page in ("recall", "embeddings", "mistakes", "compare"):
        app = run_page(open_page(page, run="seg+tri-w", other="<b>run"))
        spoken = [*app.markdown, *app.caption, *app.error, *app.warning, *app.info]
        assert not [e.value for e in spoken if "<img" in e.value.replace(r"\<img", "")], page
