"""The pictures in the repository are those that the model gives today."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdevcheck.diagrams.gallery import FOLDER, regenerate
from bdevcheck.model.machines import MACHINES
from tests.test_diagrams_render import said


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    regenerate(folder)
    return folder


def test_gallery_has_the_files_of_today(fresh: Path) -> None:
    assert _names(FOLDER) == _names(fresh), "run: python -m bdevcheck.diagrams.gallery"


def test_dot_files_are_those_of_today(fresh: Path) -> None:
    stale = [
        file.name
        for file in sorted(fresh.glob("*.dot"))
        if (FOLDER / file.name).read_text(encoding="utf-8") != file.read_text(encoding="utf-8")
    ]
    assert not stale, "run: python -m bdevcheck.diagrams.gallery"


def test_svg_files_say_what_their_dot_files_say(fresh: Path) -> None:
    # Coordinates differ from one Graphviz to the next; titles and texts do not.
    for file in sorted(fresh.glob("*.svg")):
        assert said(file.read_bytes()) == said((FOLDER / file.name).read_bytes()), file.name


def test_every_machine_has_a_picture() -> None:
    assert {f"machine-{name}.svg" for name in MACHINES} <= set(_names(FOLDER))


def test_counterexample_is_there_before_the_fix_and_gone_after() -> None:
    assert (FOLDER / "system-issue-3413-buggy-overlay.svg").exists()
    assert (FOLDER / "system-issue-3413-buggy-sequence.svg").exists()
    assert not (FOLDER / "system-issue-3413-fixed-overlay.svg").exists()


def test_unchanged_pictures_are_not_rewritten(fresh: Path) -> None:
    svg = fresh / "machine-rpc.svg"
    svg.write_text("kept", encoding="utf-8")
    regenerate(fresh)
    assert svg.read_text(encoding="utf-8") == "kept"


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())
