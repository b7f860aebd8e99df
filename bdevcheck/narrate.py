"""What `bdevcheck explore` says: an exploration and its findings, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from bdevcheck.model.compose import System
from bdevcheck.model.outcome import Outcome
from bdevcheck.model.path import Path, Step, changes
from bdevcheck.model.property import Form
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS, Variant
from bdevcheck.model.verify import Finding

if TYPE_CHECKING:
    import graphviz

_MARKS = {True: ("holds", "green"), False: ("fails", "bold red"), None: ("open", "yellow")}


def list_systems() -> Iterator[str]:
    """Yield the systems that can be explored, with what they are."""
    for name, build in {**SYSTEMS, **LARGE_SYSTEMS}.items():
        yield f"{name}: {build(next(iter(VARIANTS.values()))).about}"
    yield f"variants: {', '.join(VARIANTS)}"


def lines_of(found: Outcome, variant: Variant) -> Iterator[Text]:
    """Yield the exploration line by line: bounds and counts, properties, shortest paths."""
    system, findings = found.system, found.findings
    yield Text(f"{system.name}, variant {variant.name} ({variant.about})", style="bold")
    yield Text(f"  {system.about}")
    yield Text(f"  {_counts(found)}")
    for finding in findings:
        word, style = _MARKS[finding.holds]
        line = Text(f"  {word:<6}", style=style)
        yield line.append(f"{finding.property.name}: {finding.property}", style="not bold default")
        if finding.why:
            yield Text(f"         {finding.why}", style="yellow")
    yield from _counterexamples(system, findings)
    yield Text()
    yield _conclusion(found)


def _counts(found: Outcome) -> str:
    counts = f"{found.states:,} states, {found.steps:,} steps, depth {found.depth}"
    if found.states_in_full != found.states:
        counts += f" (up to symmetry; they stand for {found.states_in_full:,} states)"
    if found.complete:
        return f"{counts}: all that can be reached"
    stopped = f"bound of {found.bound:,} states REACHED, OR INTERRUPTED"
    return f"{counts}: {stopped}, not all was searched"


def _counterexamples(system: System, findings: Sequence[Finding]) -> Iterator[Text]:
    """Yield each failure's shortest path; one that serves several failures is shown once."""
    shown: dict[tuple[str, ...], str] = {}
    for finding in findings:
        if finding.holds is not False or finding.path is None:
            continue
        yield Text()
        first = shown.setdefault(finding.path.labels, finding.property.name)
        if first == finding.property.name:
            yield from _counterexample(system, finding, finding.path)
        else:
            yield Text(f"The same path shows {finding.property.name}.", style="bold")


def _counterexample(system: System, finding: Finding, path: Path) -> Iterator[Text]:
    steps = f"{len(path)} steps" + (f", the last {path.loop} for ever" if path.loop else "")
    yield Text(f"Shortest path to a failure of {finding.property.name} ({steps}):", style="bold")
    for number, step in enumerate(path.steps, 1):
        mark = "↻" if path.loop and number > len(path) - path.loop else " "
        style = "red" if step.vector.breaks else ""
        line = Text(f"{mark}{number:>3}  {step.vector.label}", style=style)
        yield line.append(f"   {_moves(system, step)}", style="dim")
    if finding.property.form is Form.ALWAYS:
        yield Text(f"     now not: {finding.property.first}")


def _moves(system: System, step: Step) -> str:
    moved = (
        f"{part}: {before} → {after}"
        for part, (before, after) in changes(system, step).items()
        if before != after
    )
    return "; ".join(moved)


def _conclusion(found: Outcome) -> Text:
    findings = found.findings
    failed = sum(finding.holds is False for finding in findings)
    undecided = sum(finding.holds is None for finding in findings)
    if failed:
        return Text(f"{failed} of {len(findings)} properties fail.", style="bold red")
    if undecided:
        return Text(
            f"No property fails within {found.states:,} states; {undecided} are not decided.",
            style="yellow",
        )
    return Text(f"All {len(findings)} properties hold, within these bounds.", style="bold green")


def document_of(found: Outcome, variant: str) -> dict[str, object]:
    """Return the exploration as plain data for JSON."""
    return {
        "version": 1,
        "system": found.system.name,
        "variant": variant,
        "engine": found.engine,
        "states": found.states,
        "states_in_full": found.states_in_full,
        "steps": found.steps,
        "depth": found.depth,
        "max_states": found.bound,
        "complete": found.complete,
        "properties": [_finding(found.system, each) for each in found.findings],
    }


def _finding(system: System, finding: Finding) -> dict[str, object]:
    path = finding.path
    return {
        "name": finding.property.name,
        "claim": str(finding.property),
        "holds": finding.holds,
        "why": finding.why,
        "path": None if path is None else [_step(system, step) for step in path.steps],
        "loop": 0 if path is None else path.loop,
    }


def _step(system: System, step: Step) -> dict[str, object]:
    return {
        "label": step.vector.label,
        "breaks": step.vector.breaks,
        "changes": {part: list(pair) for part, pair in changes(system, step).items()},
    }


def draw_system(system: System, form: str) -> graphviz.Digraph | None:
    """Draw a system: its states, its first counterexample over them, or that as a sequence.

    None for a counterexample of a system that has none.
    """
    from bdevcheck.diagrams.gallery import counterexample, draw_states
    from bdevcheck.diagrams.overlay import draw_overlay
    from bdevcheck.diagrams.sequence import draw_sequence
    from bdevcheck.model.explore import explore

    found = explore(system)
    if form == "graph":
        return draw_states(found)
    path = counterexample(found)
    if path is None:
        return None
    return draw_overlay(found, path) if form == "counterexample" else draw_sequence(system, path)
