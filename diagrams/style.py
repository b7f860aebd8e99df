"""The look that all pictures share: colours on white, fonts, and text that cannot be misread."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

import graphviz

INK = "#1f2328"
GREY = "#59636e"
PALE = "#c3cad1"
RED = "#c8102e"
BLUE = "#0b5cad"
PAPER = "#ffffff"
STATE_FILL = "#f3f6f9"
START_FILL = "#e2effc"
RED_FILL = "#fdecec"

FONT = "Helvetica"
BOLD = "Helvetica-Bold"
SIZE = 13
SMALL = 11


def digraph(name: str, caption: Iterable[str], **graph: str) -> graphviz.Digraph:
    """Return an empty picture, laid out by `dot`, with `caption` lines above it."""
    picture: graphviz.Digraph = graphviz.Digraph(
        name,
        graph_attr={
            "bgcolor": PAPER,
            "fontname": FONT,
            "fontsize": str(SIZE),
            "fontcolor": GREY,
            "label": stack(caption),
            "labelloc": "t",
            "pad": "0.2",
            **graph,
        },
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fillcolor": STATE_FILL,
            "color": INK,
            "fontcolor": INK,
            "fontname": FONT,
            "fontsize": str(SIZE),
            "margin": "0.16,0.08",
        },
        edge_attr={
            "color": INK,
            "fontcolor": INK,
            "fontname": FONT,
            "fontsize": str(SMALL),
            "arrowsize": "0.8",
        },
    )
    return picture


def plain(text: str) -> str:
    """Return `text` as a label that shows exactly it: no escapes, no entities, no HTML.

    >>> print(plain(r"a\\n & <b>"))
    a\\\\n &amp; &lt;b&gt;
    """
    text = text.encode("utf-8", "backslashreplace").decode()  # half surrogates cannot be drawn
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("\\", "\\\\")


def stack(lines: Iterable[str], align: str = "n") -> str:
    r"""Return a label of several lines; `align` is ``n`` (centred), ``l`` (left) or ``r``.

    >>> print(stack(["above", "below"], align="l"))
    above\lbelow\l
    """
    shown = [plain(line) for line in lines]
    if align == "n":
        return "\\n".join(shown)
    return "".join(f"{line}\\{align}" for line in shown)


def beside(lines: Iterable[str]) -> str:
    """Return a label for an arrow, with a blank on either side that keeps it off the line."""
    return stack(f" {line} " for line in lines)


def wrap(text: str, width: int, most: int | None = None) -> list[str]:
    """Break `text` into lines of at most `width` characters; a cut after `most` lines ends in “…”.

    >>> wrap("one two three four", 9, most=1)
    ['one two…']
    """
    lines = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], lines[most - 1][: width - 1] + "…"]
