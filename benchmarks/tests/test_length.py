"""The tables of benchmarks/length.py, on a run of six clips worked by hand."""

import pandas as pd
import pytest

from benchmarks import length
from segser_core.errors import SettingError
from segser_core.runs.writing import write_run

LABELS = ("angry", "sad")


def run_folder(folder, clips):
    """A run of `seg`: clips are (id, label, seconds, style, P(sad) of the utterance, P(sad) of each segment)."""
    rows, segments = [], []
    for name, label, seconds, style, whole, parts in clips:
        best = max(parts, key=lambda p: max(p, 1 - p))
        row = {"utterance_id": name, "label": label, "predicted": LABELS[best > 0.5], "confidence": max(best, 1 - best)}
        row |= {"p_angry": 1 - best, "p_sad": best, "u_angry": 1 - whole, "u_sad": whole}
        rows.append(row | {"duration_s": seconds, "style": style, "split": "test", "seed": 0, "fold": 0})
        for i, p in enumerate(parts):
            segments.append({"utterance_id": name, "segment": i, "start_s": i, "end_s": i + 1.0, "seed": 0, "fold": 0})
            segments[-1] |= {"p_angry": 1 - p, "p_sad": p}
    meta = {"system": "seg", "labels": list(LABELS), "aggregate": "max"}
    tables = {"predictions": pd.DataFrame(rows), "segments": pd.DataFrame(segments)}
    write_run(folder, meta=meta, config_yaml="", metrics={}, **tables)
    return folder


@pytest.fixture
def folders(tmp_path):
    """Short clips are right by any rule; of the long sad ones, one confident segment turns a clip to angry."""
    short = [("a", "sad", 3.0, "speech", 0.8, [0.9]), ("b", "angry", 2.0, "speech", 0.3, [0.2])]
    long = [
        ("c", "sad", 30.0, "joined", 0.7, [0.7, 0.8, 0.05]),
        ("d", "sad", 20.1, "joined", 0.7, [0.7, 0.7]),
        ("e", "angry", 25.0, "joined", 0.4, [0.1, 0.3]),
        ("f", "angry", 6.0, "joined", 0.4, [0.1, 0.3]),
    ]
    return [run_folder(tmp_path / "short", short), run_folder(tmp_path / "long", long)]


def lines(capsys) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]


def test_tables_by_length_and_rule(folders, capsys):
    assert length.main([*map(str, folders), "--recall", "sad"]) == 0
    rows = lines(capsys)
    head = ["clips", "label from", "up to 3 s", "3 to 6 s", "20 to 30 s", "all"]
    assert rows.count(head) == 4
    assert ["as recorded", "", "2 (2)", "–", "–", "2 (2)"] in rows
    assert ["joined", "", "–", "1 (1)", "3 (2)", "4 (2)"] in rows
    by_max, by_mean, whole = ([r[2:] for r in rows if r[:2] == ["joined", c]] for c in ("max", "mean", "utterance"))
    assert [of[0][2].split(" (")[0] for of in (by_max, by_mean, whole)] == ["75.0", "100.0", "100.0"]
    assert by_max[1] == ["–", "–", "50.0 of 2", "50.0 of 2"]
    assert by_mean[1][2] == "100.0 of 2"
    assert by_max[2][1] == "90.0 / 100.0"
    assert by_mean[2][1] == "80.0 / 100.0"


def test_bins_hold_their_upper_edge():
    bins = length.Bins()
    names = [bins.names[i] for i in bins.of([3.0, 3.1, 30.0, 31.0])]
    assert names == ["up to 3 s", "3 to 6 s", "20 to 30 s", "over 30 s"]
    with pytest.raises(SettingError, match="rising order"):
        length.Bins((6.0, 3.0))


def test_a_run_that_is_none_is_one_line(tmp_path, capsys):
    assert length.main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
