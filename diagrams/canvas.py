"""Charts with fixed positions: boxes, texts and lines at coordinates in points, y downwards.

They are DOT like every picture, laid out by neato with every node pinned, so that all back ends
give the same places. Text widths are estimated on the wide side, because fonts differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import graphviz

from bdevcheck.diagrams.style import FONT, INK, PAPER, SIZE, SMALL, stack

LINE = 17
"""Height of a line of text at the normal size."""


def canvas(name: str) -> graphviz.Digraph:
    """Return an empty chart."""
    picture: graphviz.Digraph = graphviz.Digraph(
        name,
        engine="neato",
        graph_attr={
            "layout": "neato",
            "inputscale": "72",
            "splines": "line",
            "outputorder": "edgesfirst",
            "bgcolor": PAPER,
            "pad": "0.2",
        },
        node_attr={"fixedsize": "true", "fontname": FONT, "fontcolor": INK, "margin": "0.08,0.03"},
        edge_attr={"dir": "none", "color": INK},
    )
    return picture


def box(
    picture: graphviz.Digraph,
    node: str,
    at: tuple[float, float],
    size: tuple[float, float],
    lines: Sequence[str] = (),
    **attributes: str,
) -> None:
    """Add a box with its centre `at` and text inside it."""
    align = attributes.pop("align", "n")
    style = {"shape": "box", "style": "rounded,filled", "fillcolor": PAPER, "color": INK}
    picture.node(
        node,
        stack(lines, align),
        pos=f"{at[0]:g},{-at[1]:g}!",
        width=f"{size[0] / 72:.3f}",
        height=f"{size[1] / 72:.3f}",
        **{**style, "fontsize": str(SIZE), **attributes},
    )


def text(
    picture: graphviz.Digraph,
    node: str,
    at: tuple[float, float],
    width: float,
    lines: Sequence[str],
    **attributes: str,
) -> None:
    """Add text of the given width, its centre `at`, without a border."""
    style = {"style": "", "shape": "plaintext", "fillcolor": "none", "margin": "0"}
    size = float(attributes.get("fontsize", SMALL))
    height = len(lines) * size * 1.35
    box(
        picture, node, at, (width, height), lines, **{**style, "fontsize": str(SMALL), **attributes}
    )


def width_of(line: str, size: float = SIZE) -> float:
    """Estimate the width of `line` in points, on the wide side."""
    return len(line) * size * 0.62
