"""The pictures of every machine and system, and of a real violation, beside this module.

``python -m bdevcheck.diagrams.gallery`` regenerates them. An SVG is rewritten only when its DOT
text has changed, so that another version of Graphviz does not touch pictures that say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import graphviz

from bdevcheck import traces
from bdevcheck.conformance import Violation, check
from bdevcheck.diagrams.dot import draw_exploration, draw_machine, draw_projection
from bdevcheck.diagrams.overlay import draw_overlay
from bdevcheck.diagrams.render import write
from bdevcheck.diagrams.sequence import draw_sequence
from bdevcheck.diagrams.statespace import WHOLE
from bdevcheck.diagrams.timeline import draw_timeline
from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.path import Path as Run
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import decide
from bdevcheck.traces.record import Place

_RECORDING = "a1_issue3413_one_connection"

FOLDER = Path(__file__).parent / "gallery"

SHOWN = ("buggy", "fixed")
"""The variants whose systems are drawn: before and after the fix."""

WITH_STATES = ("issue-3413", "most-general", "most-general-deferred")
"""The systems whose states are drawn, in each of those variants. Of the others there is the first
counterexample in the first variant, as a sequence: `bdevcheck draw` draws the rest."""

MERGED_BY = {
    "issue-3413": ("rpc5", "raid1", "rpc6", "rpc7"),
    "most-general": ("raid1", "raid1.assembly"),
    "most-general-deferred": ("raid1", "raid1.assembly"),
}
"""The components by which a system's states are merged, where the default tells less."""

BOUND = 50_000
"""States explored for a picture; a system beyond it is drawn as far as that, and says so."""


def regenerate(folder: str | Path = FOLDER) -> list[Path]:
    """Write every picture as .dot and .svg into `folder`; return the files, in order."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [file for name, picture in pictures() for file in _keep(folder / name, picture)]


def pictures() -> Iterator[tuple[str, graphviz.Digraph]]:
    """Yield each picture of the gallery with its name, machines first."""
    for name, machine in MACHINES.items():
        yield f"machine-{name}", draw_machine(machine)
    for name, build in SYSTEMS.items():
        for variant in SHOWN if name in WITH_STATES else SHOWN[:1]:
            system = replace(build(VARIANTS[variant]), name=f"{name} ({variant})")
            yield from _draw_system(f"system-{name}-{variant}", system, name)
    yield from _violations()


def _violations() -> Iterator[tuple[str, graphviz.Digraph]]:
    """Yield the violations of a recording that ships with the project, as timelines."""
    folder = resources.files(traces) / "corpus" / "before-fix"
    with resources.as_file(folder) as here:
        files = [here / f"{_RECORDING}.{end}" for end in ("wire.jsonl", "log")]
        report = check(traces.load(files))
    for number, violation in enumerate(report.violations, 1):
        yield f"violation-issue-3413-{number}", draw_timeline(_portable(violation))


def _portable(violation: Violation) -> Violation:
    """Return the violation with file names instead of paths, which differ between machines."""
    moments = tuple(
        replace(moment, place=Place(Path(moment.place.source).name, moment.place.line))
        for moment in violation.moments
    )
    return replace(violation, moments=moments)


def _draw_system(name: str, system: System, shown: str) -> Iterator[tuple[str, graphviz.Digraph]]:
    exploration = explore(system, max_states=BOUND)
    path = counterexample(exploration)
    if shown in WITH_STATES:
        yield name, draw_states(exploration, shown)
    if path and shown in WITH_STATES:
        yield f"{name}-overlay", draw_overlay(exploration, path)
    if path:
        yield f"{name}-sequence", draw_sequence(system, path)


def draw_states(exploration: Exploration, name: str = "") -> graphviz.Digraph:
    """Draw what was explored: whole where it is small, else merged by what tells most.

    `name` is the system's own name, where the exploration's was changed for its caption.
    """
    merged_by = MERGED_BY.get(name or exploration.system.name)
    if merged_by is None or len(exploration.states) <= WHOLE:
        return draw_exploration(exploration)
    return draw_projection(exploration, merged_by)


def counterexample(exploration: Exploration) -> Run | None:
    """Return the path that refutes the first property that fails, in declared order."""
    findings = (decide(exploration, claim) for claim in exploration.system.properties)
    return next((found.path for found in findings if found.holds is False), None)


def _keep(stem: Path, picture: graphviz.Digraph) -> list[Path]:
    dot, svg = stem.with_name(f"{stem.name}.dot"), stem.with_name(f"{stem.name}.svg")
    if not (dot.exists() and svg.exists() and dot.read_text(encoding="utf-8") == picture.source):
        write(picture, dot)
        write(picture, svg)
    return [dot, svg]


def main() -> None:
    """Regenerate the gallery in place, remove pictures of what is gone, and list its files."""
    files = regenerate()
    for stale in sorted({*FOLDER.glob("*.dot"), *FOLDER.glob("*.svg")} - set(files)):
        stale.unlink()
    for file in files:
        print(file)


if __name__ == "__main__":
    main()
