"""What `bdevcheck compare` says: a comparison and its differences, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.text import Text

from bdevcheck.model.compare import Comparison, Difference, Formula, Moment, Relation, Side
from bdevcheck.model.compose import System
from bdevcheck.model.variant import Variant

_MARKS = {True: ("same", "green"), False: ("differ", "bold red"), None: ("open", "yellow")}

_SHOWN = 6  # of the other side's choices, in text; data has them all


@dataclass(frozen=True, slots=True)
class Asked:
    """What was to be compared: left and right, as they are before `rules` were left out."""

    variants: tuple[Variant, Variant]
    systems: tuple[System, System]
    rules: tuple[str, ...]
    silence: bool
    relation: Relation


# --- as text -------------------------------------------------------------------------------------


def lines_of(found: Comparison, asked: Asked, *, verbose: bool = False) -> Iterator[Text]:
    """Yield the comparison line by line: sides and bounds, verdicts, differences with their runs.

    Of several differences of one side, all but the first are shown by their ends, unless `verbose`.
    """
    left, right = (each.name for each in asked.variants)
    yield Text(f"{asked.systems[0].name}: {left} against {right}", style="bold")
    yield Text(f"  {asked.systems[0].about}")
    for word, side, variant in zip(
        ("left", "right"), (found.left, found.right), asked.variants, strict=True
    ):
        yield Text(f"  {word:<6} {variant.name} ({variant.about}): {_counts(side)}")
    yield from _terms(found, asked)
    yield from _verdicts(found, left, right)
    for mine, other, differences in (
        (left, right, found.only_left),
        (right, left, found.only_right),
    ):
        yield from _differences(differences, mine, other, verbose=verbose)
    if found.formula is not None:
        yield from _formula(found.formula, left, right)
    yield Text()
    yield _conclusion(found, asked)


def _counts(side: Side) -> str:
    explored = side.exploration
    counts = f"{len(explored.states):,} states, {len(explored.edges):,} steps"
    return counts if explored.complete else f"{counts} - BOUND REACHED, not all was searched"


def _terms(found: Comparison, asked: Asked) -> Iterator[Text]:
    """Yield what the verdict depends on: observations, bounds, what was left out."""
    silence = "silence" if asked.silence else "not silence"
    yield Text(
        f"  seen: requests, replies (success or error), {silence}; "
        f"{len(found.labels)} different observations"
    )
    bounds = found.bounds
    yield Text(
        f"  bounds: {bounds.max_states:,} states a side, {bounds.max_classes:,} classes, "
        f"{bounds.max_pairs:,} pairs"
    )
    if asked.rules:
        left, right = _left_out(found, asked)
        rules = ", ".join(asked.rules)
        yield Text(f"  left out: what breaks {rules}: vectors: {left} left, {right} right")
    if hidden := found.left.divergent + found.right.divergent:
        yield Text(
            f"  from {hidden:,} states a run may stay hidden for ever, which is not seen",
            style="yellow",
        )


def _left_out(found: Comparison, asked: Asked) -> tuple[int, int]:
    left, right = (
        len(whole.vectors) - len(side.exploration.system.vectors)
        for whole, side in zip(asked.systems, (found.left, found.right), strict=True)
    )
    return left, right


def _verdicts(found: Comparison, left: str, right: str) -> Iterator[Text]:
    about = {
        "language": f"traces of {left} that {right} lacks: {_extra(found.only_left, found)}; "
        f"of {right} that {left} lacks: {_extra(found.only_right, found)}",
        "weak": "the same choices left after each observation",
        "branching": "the same choices left after each step",
    }
    for relation, same in found.same.items():
        word, style = _MARKS[same]
        line = Text(f"  {word:<6}", style=style)
        yield line.append(f"  {relation:<9}  {about[relation]}", style="not bold default")


def _extra(differences: Sequence[Difference], found: Comparison) -> str:
    if not differences:
        return "none" if found.complete else "none found"
    endings = "1 ending" if len(differences) == 1 else f"{len(differences)} endings"
    return endings if found.complete else f"at least {endings}"


def _differences(
    differences: Sequence[Difference], mine: str, other: str, *, verbose: bool
) -> Iterator[Text]:
    """Yield the first difference with its run, the others by their ends unless `verbose`."""
    for number, each in enumerate(differences):
        steps = sum(moment.step is not None for moment in each.run)
        size = f"{len(each.trace)} observations in {steps} steps"
        yield Text()
        if number and not verbose:
            yield Text(f"Also only {mine}: {each.trace[-1]} ({size}; --verbose shows them)")
            continue
        yield Text(f"Only {mine} shows this ({size}; no trace is shorter):", style="bold")
        yield from _run(each.run)
        yield Text(f"     where {other} can only show: {_choices(each.instead)}")


def _choices(labels: Sequence[str]) -> str:
    more = len(labels) - _SHOWN
    shown = [*labels[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "; ".join(shown) or "nothing at all"


def _run(run: Sequence[Moment]) -> Iterator[Text]:
    for number, moment in enumerate(run, 1):
        if moment.step is None:
            yield Text(f"{number:>3} ▸ {moment.seen}", style="bold")
            continue
        mark = "▸" if moment.seen else " "
        style = "red" if moment.step.vector.breaks else "bold" if moment.seen else ""
        line = Text(f"{number:>3} {mark} {moment.step.vector.label}", style=style)
        yield line.append(f"   {_moves(moment)}", style="not bold dim default")


def _moves(moment: Moment) -> str:
    """Say what is seen, or of a hidden step what moved."""
    if moment.seen:
        return f"seen: {moment.seen}"
    return "; ".join(
        f"{part}: {before} → {after}"
        for part, (before, after) in moment.changes.items()
        if before != after
    )


def _formula(formula: Formula, left: str, right: str) -> Iterator[Text]:
    yield Text()
    yield Text(
        f"No trace tells them apart, but the choices left do: {left}, and not {right},",
        style="bold",
    )
    yield from (Text(f"   {line}") for line in formula.lines())


def _conclusion(found: Comparison, asked: Asked) -> Text:
    same = found.same[asked.relation]
    apart = f", apart from what breaks {', '.join(asked.rules)}" if asked.rules else ""
    what = f"Observable behaviours ({asked.relation})"
    if same is None:
        return Text(f"{what}: not decided within these bounds.", style="yellow")
    if same:
        return Text(f"{what}: the same within these bounds{apart}.", style="bold green")
    return Text(f"{what}: they differ{apart}.", style="bold red")


# --- as data -------------------------------------------------------------------------------------


def document_of(found: Comparison, asked: Asked) -> dict[str, object]:
    """Return the comparison as plain data for JSON; in `same`, null is what a bound left open."""
    left_out = _left_out(found, asked)
    left, right = (
        _side(side, variant, count)
        for side, variant, count in zip(
            (found.left, found.right), asked.variants, left_out, strict=True
        )
    )
    return {
        "version": 1,
        "system": asked.systems[0].name,
        "left": left,
        "right": right,
        "without": list(asked.rules),
        "silence": asked.silence,
        "bounds": asdict(found.bounds),
        "observations": list(found.labels),
        "relation": asked.relation,
        "same": {str(relation): same for relation, same in found.same.items()},
        "left_in_right": found.included[0],
        "right_in_left": found.included[1],
        "complete": found.complete,
        "only_left": [_difference(each) for each in found.only_left],
        "only_right": [_difference(each) for each in found.only_right],
        "formula": None if found.formula is None else asdict(found.formula),
    }


def _side(side: Side, variant: Variant, left_out: int) -> dict[str, object]:
    explored = side.exploration
    return {
        "variant": variant.name,
        "states": len(explored.states),
        "steps": len(explored.edges),
        "complete": explored.complete,
        "silent": side.silent,
        "divergent": side.divergent,
        "left_out": left_out,
    }


def _difference(each: Difference) -> dict[str, object]:
    return {
        "trace": list(each.trace),
        "instead": list(each.instead),
        "run": [_moment(moment) for moment in each.run],
    }


def _moment(moment: Moment) -> dict[str, object]:
    vector = moment.step.vector if moment.step else None
    return {
        "seen": moment.seen,
        "label": vector.label if vector else None,
        "breaks": vector.breaks if vector else "",
        "changes": {part: list(pair) for part, pair in moment.changes.items()},
    }
