"""Describe a corpus: its counts beside those of the complete corpus, and the files that are left out."""

from collections import Counter

import pandas as pd

from segser_core.formatting import align_columns, one_line
from training.corpora import Corpus, Counts
from training.corpora.protocols import missing_counts, own_protocols

COLUMNS_COUNTED = ("label", "speaker", "session", "gender", "style")


def describe_counts(corpus: Corpus) -> list[str]:
    """Write lines of counts, beside those of the complete corpus, where they are known."""
    manifest = corpus.manifest
    total = sum(corpus.expected.values())
    lines = [f"{corpus.name}: {len(manifest)} clips" + (f" of {total}" if total else "") + f" in {corpus.root}"]
    seconds = manifest.duration_s
    lines.append(f"{seconds.sum() / 3600:.2f} h, {seconds.min():.2f} to {seconds.max():.2f} s")
    labels = Counts(("label",), {(label,): n for label, n in corpus.expected.items()})
    known = {c.columns[0]: c for c in (labels, *corpus.further) if not c.labels}
    for column in COLUMNS_COUNTED:
        if manifest[column].any():
            lines += ["", column, *compare_counts(manifest, known.get(column, Counts((column,), {})))]
    for counts in (c for c in corpus.further if c.labels):
        lines += [
            "",
            f"{' and '.join(counts.columns)}, of {', '.join(counts.labels)}",
            *compare_counts(manifest, counts),
        ]
    lines += completeness_lines(corpus)
    return [*lines, *(["", *corpus.notes] if corpus.notes else [])]


def completeness_lines(corpus: Corpus) -> list[str]:
    """Write for each protocol of a corpus whether what it uses is complete; none where that is not known."""
    protocols = own_protocols(corpus.name).values() if corpus.expected else ()
    states = [(p.name, "not complete" if missing_counts(corpus, p) else "complete") for p in protocols]
    return ["", "protocol", *(f"  {line}" for line in align_columns(states))] if states else []


def compare_counts(manifest: pd.DataFrame, counts: Counts) -> list[str]:
    """Write a line for each value of some columns: its number of utterances, and the expected one where it is known."""
    rows = manifest[manifest["label"].isin(counts.labels)] if counts.labels else manifest
    by_value = rows.groupby(list(counts.columns)).size().to_dict()
    got = {key if isinstance(key, tuple) else (key,): n for key, n in by_value.items()}
    names = {key: "  ".join(key) for key in [*counts.numbers, *(key for key in got if key not in counts.numbers)]}
    width = max(map(len, names.values()))
    lines = []
    for key, name in names.items():
        line = f"  {name:<{width}} {got.get(key, 0):>6}"
        if counts.numbers:
            expected = counts.numbers.get(key, 0)
            line += f"  of {expected}" + ("" if got.get(key, 0) == expected else "  DIFFERS")
        lines.append(line)
    return lines


def describe_left_out(corpus: Corpus) -> list[str]:
    """Count the files that are not in the manifest by reason, and write a line for each."""
    reasons = Counter(file.why for file in corpus.left_out)
    lines = ["", f"left out: {len(corpus.left_out)} files"]
    lines += [one_line(f"  {n} × {why}") for why, n in reasons.most_common() if n > 1]
    return [*lines, *(one_line(f"  {f.path}: {f.why}") for f in corpus.left_out)]
