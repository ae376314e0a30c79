"""The rules that every chart of the product keeps, read off its figure: what is wrong with it, in words.

Contrasts are those of WCAG 2.2 on white: 4.5 to 1 for texts, 3 to 1 for marks. Marks on a map stand on its colours and
are left out.
"""

import re
from itertools import combinations

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Text

from forensics import plots

#: Quantities that have no unit.
PURE = {"correlation", "relative brightness"}
NUMBER = re.compile(r"[−-]?[\d.]+")
WIDTH_MM, LEAST_PT = 160, 8
TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0


def luminance(colour):
    """Relative luminance of sRGB (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(colour):
    """Contrast on white."""
    return 1.05 / (luminance(colour) + 0.05)


def texts(figure):
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def series(ax):
    """Lines drawn from data that a reader sees; without error bars, which their legend shows as what they are."""
    bars = {line for c in ax.containers if isinstance(c, ErrorbarContainer) for line in (c.lines[0], *c.lines[1])}
    return [line for line in ax.lines if line.get_visible() and line not in bars and np.size(line.get_xdata())]


def look(line):
    """Line style and marker: what tells one series from another without colour."""
    style = line.get_linestyle() if line.get_linewidth() else "None"
    drawn = "None" if style in ("", " ", "None", "none") else (style, tuple(line._dash_pattern[1] or ()))
    marker = line.get_marker()
    return drawn, "None" if marker in ("", " ", None, "None", "none") else str(marker)


@plots.styled  # ticks are made when they are asked for, in the style that then holds
def faults(chart):
    """What breaks a rule on the figure of ``chart``."""
    return [f"{chart.name}: {fault}" for fault in _faults(chart)]


def _faults(chart):
    figure = chart.figure
    if round(figure.get_size_inches()[0] * 25.4) != WIDTH_MM:
        yield "is not as wide as the page's text"
    for t in texts(figure):
        if t.get_fontsize() < LEAST_PT:
            yield f"{t.get_text()!r} has {t.get_fontsize()} points"
        if t.get_parse_math():
            yield f"{t.get_text()!r} is parsed as mathematics"
        if contrast(t.get_color()) < TEXT_CONTRAST:
            yield f"{t.get_text()!r} has a contrast of {contrast(t.get_color()):.1f}"
    for ax in figure.axes:
        yield from _axes_faults(ax)
    for word in ("Notice", "not show"):
        if word not in chart.caption:
            yield f"the caption lacks {word!r}"
    if len(chart.alt) <= 30 or not chart.table:
        yield "has no text for the blind, or no data"


def _axes_faults(ax):
    for axis in (ax.xaxis, ax.yaxis):
        shown = [t.get_text() for t in axis.get_ticklabels() if t.get_visible() and t.get_text()]
        label = axis.get_label_text().replace("\n", " ")
        if any(NUMBER.fullmatch(text) for text in shown) and not (
            re.search(r"\w \([^)]+\)|, \w+ \([^)]*\)", label) or label in PURE
        ):
            yield f"an axis is labelled {label!r}"
    if ax.images or (ax.collections and any(type(c).__name__ == "QuadMesh" for c in ax.collections)):
        return
    for line in series(ax):
        if contrast(line.get_color()) < MARK_CONTRAST:
            yield f"a line of {line.get_color()} has a contrast of {contrast(line.get_color()):.1f}"
    for a, b in combinations(series(ax), 2):
        if to_rgb(a.get_color()) != to_rgb(b.get_color()) and look(a) == look(b):
            yield f"{a.get_label()!r} and {b.get_label()!r} differ in colour alone"
    yield from _unlabelled(ax)


def _unlabelled(ax):
    """Series without a label of their own: in the legend, as a word on the axis, or, one alone, by the axis' label."""
    told = {(to_rgb(h.get_color()), look(h)) for other in ax.figure.axes for h in _handles(other)}
    words = [t.get_text() for t in ax.get_yticklabels() if t.get_text() and not NUMBER.fullmatch(t.get_text())]
    seen = {(to_rgb(line.get_color()), look(line)) for line in series(ax)}
    if not words and len(left := seen - told) > 1:
        yield f"series have no label: {sorted(left, key=str)}"


def _handles(ax):
    return [h for h in ax.get_legend_handles_labels()[0] if hasattr(h, "get_linestyle") and hasattr(h, "get_marker")]
