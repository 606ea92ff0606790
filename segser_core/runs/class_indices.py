"""Convert the labels and predictions of rows to class indices, once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from segser_core.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd

INDEX_COLUMNS = {"true": "label", "code": "predicted"}
CLASSES = "classes"  # among a table's attributes: the classes that its indices are of


def class_indices(names: "Sequence[str] | pd.Series", classes: Sequence[str]) -> np.ndarray:
    """Look up each name's index in `classes`: (N,) int.

    Raises:
        SettingError: a name is no class.

    Example:
        >>> class_indices(["sad", "happy"], ["happy", "sad"])
        array([1, 0])
    """
    import pandas as pd

    code, known = pd.factorize(names if isinstance(names, pd.Series) else np.asarray(names, dtype=object))
    place = {c: i for i, c in enumerate(classes)}
    places = np.array([*(place.get(n, -1) for n in known), -1], dtype=np.intp)  # the last: where there is no name
    found = places[code]
    if (found < 0).any():
        strange = sorted({str(n) for n, at in zip(names, found, strict=True) if at < 0})
        raise SettingError(f"{', '.join(strange)}: not among the classes {', '.join(classes)}")
    return found


def add_class_indices(rows: "pd.DataFrame", labels: Sequence[str]) -> "pd.DataFrame":
    """Add class indices of the label (`true`) and of the prediction (`code`), unless the rows have those of `labels`.

    Raises:
        SettingError: as in `class_indices`.
    """
    if rows.attrs.get(CLASSES) == tuple(labels) and set(INDEX_COLUMNS) <= set(rows):
        return rows
    found = rows.assign(**{name: class_indices(rows[column], labels) for name, column in INDEX_COLUMNS.items()})
    found.attrs = {**rows.attrs, CLASSES: tuple(labels)}
    return found
