"""Rendering with the system's `dot` and with the Graphviz that pip installs."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import graphviz
import pytest

from bdevcheck.diagrams import render as rendering
from bdevcheck.diagrams.canvas import box, canvas
from bdevcheck.diagrams.dot import draw_machine
from bdevcheck.diagrams.render import RenderError, render, write
from bdevcheck.model.machines import MACHINES

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs a system `dot`")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the system's `dot`."""
    monkeypatch.setenv("PATH", str(tmp_path))
    rendering._note_missing_dot.cache_clear()


def said(svg: bytes) -> tuple[list[str], list[str]]:
    """Return the titles and the texts of an SVG, sorted: what does not depend on the version."""
    text = svg.decode().replace("&#45;", "-").replace("&#160;", " ")
    titles = re.findall(r"<title>(.*?)</title>", text)
    return sorted(titles), sorted(t.strip() for t in re.findall(r"<text.*?>(.*?)</text>", text))


def chart() -> graphviz.Digraph:
    picture = canvas("chart")
    box(picture, "one", (0, 0), (80, 30), ["one & two"])
    box(picture, "two", (200, 100), (80, 30), ["<two>"])
    picture.edge("one", "two")
    return picture


def test_dot_is_the_source() -> None:
    picture = draw_machine(MACHINES["rpc"])
    assert render(picture, "dot").decode() == picture.source
    assert render(picture.source, "dot").decode() == picture.source


@pytest.mark.usefixtures("no_dot")
@pytest.mark.parametrize("name", MACHINES)
def test_svg_without_dot_shows_every_state(name: str) -> None:
    _, texts = said(render(draw_machine(MACHINES[name]), "svg"))
    assert set(MACHINES[name].states) <= set(texts)


@needs_dot
@pytest.mark.parametrize("name", MACHINES)
def test_both_back_ends_say_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw_machine(MACHINES[name])
    by_dot = said(render(picture, "svg"))
    monkeypatch.setenv("PATH", "")
    assert said(render(picture, "svg")) == by_dot


@needs_dot
def test_both_back_ends_keep_pinned_places(monkeypatch: pytest.MonkeyPatch) -> None:
    by_dot = render(chart(), "svg")
    monkeypatch.setenv("PATH", "")
    by_pip = render(chart(), "svg")
    size = re.compile(rb'viewBox="0.00 0.00 ([\d.]+) ([\d.]+)"')
    left, right = size.search(by_dot), size.search(by_pip)
    assert left
    assert right
    assert [float(n) for n in left.groups()] == pytest.approx(
        [float(n) for n in right.groups()], abs=1.5
    )


@pytest.mark.usefixtures("no_dot")
def test_svg_is_stable_and_names_no_version() -> None:
    first, second = render(chart(), "svg"), render(chart(), "svg")
    assert first == second
    assert b"<!--" not in first
    assert b"graphviz version" not in first


@pytest.mark.usefixtures("no_dot")
def test_missing_dot_is_noted_once(capsys: pytest.CaptureFixture[str]) -> None:
    render(chart(), "svg")
    render(chart(), "svg")
    assert capsys.readouterr().err.count("no system `dot` found") == 1


@needs_dot
def test_png_with_dot() -> None:
    assert render(chart(), "png").startswith(PNG)


@pytest.mark.usefixtures("no_dot")
def test_png_without_dot() -> None:
    if importlib.util.find_spec("resvg_py") is None:
        with pytest.raises(RenderError, match="PNG needs a system `dot`"):
            render(chart(), "png")
    else:
        assert render(chart(), "png").startswith(PNG)


@pytest.mark.parametrize("suffix", ["dot", "svg", "SVG"])
def test_suffix_chooses_the_format(suffix: str, tmp_path: Path) -> None:
    file = write(chart(), tmp_path / f"chart.{suffix}")
    assert file.read_bytes() == render(chart(), suffix.lower())


def test_other_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"allowed: \.dot, \.svg, \.png"):
        write(chart(), tmp_path / "chart.gif")
    with pytest.raises(ValueError, match="there are: dot, svg, png"):
        render(chart(), "gif")
    assert not list(tmp_path.iterdir())
