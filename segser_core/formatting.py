"""Plain text for a terminal or a pipe: one line stays one line, and no column is cut off."""

from collections.abc import Sequence


def one_line(text: object) -> str:
    """Text on one line: control characters, line breaks and half characters as escapes such as \\n or \\x1b."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def aligned(rows: Sequence[Sequence[str]], right: str = "") -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell.

    Args:
        rows: (R, K) cells.
        right: the places of columns that are flush right, e.g. "124".
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    flush = [str.rjust if str(i) in right else str.ljust for i in range(len(widths))]
    return ["  ".join(f(c, w) for f, c, w in zip(flush, row, widths, strict=True)).rstrip() for row in rows]


def percent(share: float | None) -> str:
    """A fraction as percent with one decimal; a dash where it is not known."""
    return "–" if share is None or share != share else f"{100 * share:.1f}"


def signed(share: float | None) -> str:
    """A difference of fractions in points with one decimal and its sign; a dash where it is not known."""
    return "–" if share is None or share != share else f"{100 * share:+.1f}".replace("-", "−")
