"""A report as text for people.

The order is that of a reader: the verdict; each violation with the two records that contradict each
other; what is undecided and why; how often each rule was put to the test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from bdevcheck.conformance.verdict import Doubt, Moment, Report, Unexplained, Verdict, Violation

_STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.VIOLATES: "bold red",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.UNEXPLAINED: "bold magenta",
}
_SHORT = 3
"""How many doubts are shown one by one; more are counted."""

_VISIBLE = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
"""Control characters as pictures: a bdev's name must not break a line or command a terminal."""


def lines_of(report: Report, *, verbose: bool = False) -> Iterator[Text]:
    """Yield the report line by line; `verbose` shows every doubt."""
    for line in _lines_of(report, verbose=verbose):
        line.plain = line.plain.translate(_VISIBLE)
        yield line


def _lines_of(report: Report, *, verbose: bool) -> Iterator[Text]:
    yield _headline(report)
    for violation in report.violations:
        yield Text()
        yield from _violation(violation)
    for each in report.unexplained:
        yield Text()
        yield from _unexplained(each)
    if report.undecided:
        yield Text()
        yield from _doubts(report.undecided, verbose=verbose)
    yield Text()
    yield from _tallies(report)
    for note in report.notes:
        yield Text(f"note: {note}", style="yellow")


def _headline(report: Report) -> Text:
    line = Text(report.verdict.upper(), style=_STYLES[report.verdict])
    summary = {
        Verdict.CONFORMS: "every obligation that this trace exercises is decided, and kept",
        Verdict.VIOLATES: _count(len(report.violations), "promise") + " broken",
        Verdict.UNDECIDED: "no violation is proven, but not everything is decided",
        Verdict.UNEXPLAINED: "no run of the model fits this trace",
    }[report.verdict]
    if not any(tally.exercised for tally in report.obligations.values()):
        summary = "nothing to judge: the trace exercises no rule"
    return line.append(f"  {summary}  ", style="not bold default").append(
        f"({', '.join(_base(source) for source in report.sources)})", style="not bold dim"
    )


def _violation(violation: Violation) -> Iterator[Text]:
    yield Text(f"{violation.rule}: ", style="bold red").append(
        violation.headline, style="not bold default"
    )
    start = next((m.wall_ns for m in violation.moments if m.wall_ns is not None), None)
    for moment in violation.moments:
        yield _moment(moment, start)
    yield Text(f"  {violation.between}")
    if violation.states:
        states = "; ".join(f"{part}: {state}" for part, state in violation.states.items())
        yield Text(f"  machines then: {states}")
    yield Text(f"  {violation.expected}")
    if violation.known_in:
        yield Text(f"  Known behaviour of: {', '.join(violation.known_in)}.")
    yield Text(f"  What you can do: {violation.advice}")


def _moment(moment: Moment, start: int | None) -> Text:
    elapsed = ""
    if moment.wall_ns is not None and start is not None:
        elapsed = f"{(moment.wall_ns - start) / 1e6:+.3f} ms"
    mark = "→" if moment.key else " "
    line = Text(f"  {mark} {elapsed:>14}  {moment.lane:<6}  ")
    line.append(moment.text, style="bold" if moment.key else "")
    return line.append(f"  [{_base(moment.place.source)}:{moment.place.line}]", style="dim")


def _unexplained(each: Unexplained) -> Iterator[Text]:
    yield Text("unexplained: ", style="bold magenta").append(
        f"{each.found.text}  [{_base(each.found.place.source)}:{each.found.place.line}]",
        style="not bold default",
    )
    yield Text("  No run of the model comes to this record: the target did something that has no")
    yield Text("  name here, or the model has a gap. Please report it with the trace.")
    for label in each.expected[:_SHORT]:
        yield Text(f"  possible instead: {label}", style="dim")


def _doubts(doubts: tuple[Doubt, ...], *, verbose: bool) -> Iterator[Text]:
    yield Text(f"undecided: {_count(len(doubts), 'obligation')}", style="bold yellow")
    reasons: dict[tuple[str, str], list[Doubt]] = {}
    for doubt in doubts:
        reasons.setdefault((doubt.reason, doubt.remedy), []).append(doubt)
    for (reason, remedy), same in reasons.items():
        rules = Counter(doubt.rule for doubt in same)
        what = ", ".join(f"{rule} ({number})" for rule, number in rules.items())
        yield Text(f"  {what}: {reason}.")
        yield Text(f"    To decide it: {remedy}.")
        shown = same if verbose else same[:_SHORT]
        for doubt in shown:
            about = " ".join(part for part in (doubt.method, doubt.bdev) if part)
            yield Text(
                f"    {about}  [{_base(doubt.place.source)}:{doubt.place.line}]", style="dim"
            )
        if len(same) > len(shown):
            yield Text(f"    ... and {len(same) - len(shown)} more (--verbose)", style="dim")


def _tallies(report: Report) -> Iterator[Text]:
    for rule, tally in report.obligations.items():
        parts = [f"{tally.kept} kept"]
        parts += [f"{tally.violated} violated"] if tally.violated else []
        parts += [f"{tally.undecided} undecided"] if tally.undecided else []
        parts += [f"{tally.exempt} exempt"] if tally.exempt else []
        text = ", ".join(parts) if tally.exercised or tally.exempt else "not exercised"
        yield Text(f"  {rule:<24} {text}", style="" if tally.exercised else "dim")
    known = ", ".join(report.explained_by) or "no known version"
    yield Text(f"  {'behaves like':<24} {known}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _base(source: str) -> str:
    return source.rpartition("/")[2]
