"""Format text and numbers for people: on one line, in aligned columns, in percent."""

from collections.abc import Collection, Sequence


def one_line(text: object) -> str:
    """Escape control characters, line breaks and lone surrogates, so that text stays on one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def align_columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Align rows of cells as lines, each column as wide as its widest cell.

    Args:
        rows: (R, K) cells.
        right: indices of the columns that are flush right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    flush = [str.rjust if i in right else str.ljust for i in range(len(widths))]
    return ["  ".join(f(c, w) for f, c, w in zip(flush, row, widths, strict=True)).rstrip() for row in rows]


def percent(share: float | None) -> str:
    """Format a fraction as percent with one decimal; a dash where it is not known."""
    return "–" if share is None or share != share else f"{100 * share:.1f}"


def signed_points(share: float | None) -> str:
    """Format a difference of fractions in points with one decimal and its sign; a dash where it is not known."""
    return "–" if share is None or share != share else f"{100 * share:+.1f}".replace("-", "−")
