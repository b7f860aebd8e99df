"""A report as text for people.

The order is that of a reader: the verdict; each violation with the two records that contradict each
other; what is undecided and why; how often each rule was put to the test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rich.text import Text

from bdevcheck.conformance.against import exercises, is_excused
from bdevcheck.conformance.explain import EVERY_RULE
from bdevcheck.conformance.verdict import (
    Doubt,
    Moment,
    Report,
    Tally,
    Unexplained,
    Verdict,
    Violation,
)

STYLES = {
    Verdict.CONFORMS: "bold green",
    Verdict.VIOLATES: "bold red",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.UNEXPLAINED: "bold magenta",
}
"""How a terminal shows each verdict."""

_SHORT = 3
"""How many doubts are shown one by one; more are counted."""

_VISIBLE = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
"""Control characters as pictures: a bdev's name must not break a line or command a terminal."""


def lines_of(report: Report, *, verbose: bool = False, name: str = "") -> Iterator[Text]:
    """Yield the report line by line.

    `verbose` shows every doubt, and every rule that was not exercised. `name` heads the report of
    one run among several.
    """
    return visible(_lines_of(report, verbose=verbose, name=name))


def headline_of(report: Report, name: str = "") -> Text:
    """Return the verdict and what it rests on, as one line, the `name` of the run in it."""
    return next(visible(iter([_headline(report, name)])))


def explanation_of(finding: Violation | Doubt) -> str:
    """Return all that is to say of one violation, or doubt, as plain text of several lines."""
    if isinstance(finding, Violation):
        lines = _violation(finding)
    else:
        lines = _doubts((finding,), verbose=True)
    return "\n".join(line.plain for line in visible(lines))


def tally_lines(obligations: Mapping[str, Tally], *, verbose: bool) -> Iterator[Text]:
    """Yield how often each rule was put to the test; idle rules are one line, unless `verbose`."""
    idle = [rule for rule, tally in obligations.items() if not _is_met(tally)]
    for rule, tally in obligations.items():
        if _is_met(tally) or verbose:
            yield row(rule, counts_of(tally), style="" if tally.exercised else "dim")
    if idle and not verbose:
        what = f"{_count(len(idle), 'rule')} (--verbose names them)"
        yield row("not exercised", idle[0] if len(idle) == 1 else what, style="dim")


def counts_of(tally: Tally) -> str:
    """Return a tally in words: what was kept, violated, left undecided, exempt."""
    if not _is_met(tally):
        return "not exercised"
    parts = [f"{tally.kept} kept"] if tally.exercised else []
    parts += [f"{tally.violated} violated"] if tally.violated else []
    parts += [f"{tally.undecided} undecided"] if tally.undecided else []
    parts += [f"{tally.exempt} exempt"] if tally.exempt else []
    return ", ".join(parts)


def row(label: str, text: str, style: str = "") -> Text:
    """Return one line of the table at the end of a report."""
    return Text(f"  {label:<24} {text}", style=style)


def visible(lines: Iterator[Text]) -> Iterator[Text]:
    """Yield lines with control characters as pictures."""
    for line in lines:
        line.plain = line.plain.translate(_VISIBLE)
        yield line


def _lines_of(report: Report, *, verbose: bool, name: str) -> Iterator[Text]:
    yield _headline(report, name)
    for violation in report.violations:
        yield Text()
        yield from _violation(violation, excused=_excuse(report, violation))
    for each in report.unexplained:
        yield Text()
        yield from _unexplained(each)
    if report.undecided:
        yield Text()
        yield from _doubts(report.undecided, verbose=verbose)
    yield Text()
    yield from tally_lines(report.obligations, verbose=verbose)
    yield row("behaves like", _known(report))
    for note in report.notes:
        yield Text(f"note: {note}", style="yellow")


def _headline(report: Report, name: str) -> Text:
    line = Text(report.verdict.upper(), style=STYLES[report.verdict])
    if name:
        line.append(f"  {name}", style="not bold default")
    files = ", ".join(_base(source).removeprefix(_base(name)) for source in report.sources)
    return line.append(f"  {_summary(report, name)}  ", style="not bold default").append(
        f"({files})", style="not bold dim"
    )


def _summary(report: Report, name: str) -> str:
    if report.verdict is Verdict.UNDECIDED and not exercises(report):
        return "nothing to judge: the trace exercises no rule"
    if report.against and report.verdict is not Verdict.UNEXPLAINED:
        return _fit(report)
    if name and report.verdict is Verdict.CONFORMS:
        return (
            f"{_count(sum(each.kept for each in report.obligations.values()), 'obligation')} kept"
        )
    return {
        Verdict.CONFORMS: "every obligation that this trace exercises is decided, and kept",
        Verdict.VIOLATES: _count(len(report.violations), "promise") + " broken",
        Verdict.UNDECIDED: "no violation is proven, but not everything is decided",
        Verdict.UNEXPLAINED: "no run of the model fits this trace",
    }[report.verdict]


def _fit(report: Report) -> str:
    """Say whether the trace is what the version asked for does."""
    if report.verdict is Verdict.VIOLATES:
        others = (
            f", but like {_known(report)}" if report.explained_by else "; no known version does"
        )
        return f"does not behave like {report.against}{others}"
    if report.verdict is Verdict.UNDECIDED:
        return f"what can be read behaves like {report.against}, but not all of it can"
    return f"behaves like {report.against}: nothing that was seen contradicts it{_faults(report)}"


def _faults(report: Report) -> str:
    """Say how many rules a version breaks that a trace fits, and whether it is known to."""
    excused = sum(is_excused(report, violation) for violation in report.violations)
    promises = _count(len(report.violations), "promise")
    if not report.violations:
        return ""
    if excused == len(report.violations):
        return f" ({promises} broken, as it is known to)"
    return f" ({promises} broken, {excused} of them as it is known to)"


def _excuse(report: Report, violation: Violation) -> str:
    return f"as {report.against} does" if is_excused(report, violation) else ""


def _known(report: Report) -> str:
    return ", ".join(report.explained_by) or "no known version"


def _is_met(tally: Tally) -> bool:
    return bool(tally.exercised or tally.exempt)


def _violation(violation: Violation, excused: str = "") -> Iterator[Text]:
    rule = f"{violation.rule} ({excused}): " if excused else f"{violation.rule}: "
    yield Text(rule, style="bold yellow" if excused else "bold red").append(
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
    yield Text(_undecided(doubts), style="bold yellow")
    reasons: dict[tuple[str, str], list[Doubt]] = {}
    for doubt in doubts:
        reasons.setdefault((doubt.reason, doubt.remedy), []).append(doubt)
    for (reason, remedy), same in reasons.items():
        rules = Counter(doubt.rule for doubt in same)
        what = ", ".join(f"{rule} ({number})" for rule, number in rules.items())
        yield Text(f"  {EVERY_RULE if EVERY_RULE in rules else what}: {reason}.")
        yield Text(f"    To decide it: {remedy}.")
        shown = same if verbose else same[:_SHORT]
        for doubt in shown:
            about = " ".join(part for part in (doubt.method, doubt.bdev) if part)
            place = f"[{_base(doubt.place.source)}:{doubt.place.line}]"
            yield Text(f"    {about}  {place}" if about else f"    {place}", style="dim")
        if len(same) > len(shown):
            yield Text(f"    ... and {len(same) - len(shown)} more (--verbose)", style="dim")


def _undecided(doubts: tuple[Doubt, ...]) -> str:
    """Count the obligations that are undecided; damage concerns the trace and is none."""
    single = sum(doubt.rule != EVERY_RULE for doubt in doubts)
    parts = [_count(single, "obligation")] if single else []
    parts += ["the trace as a whole"] if single < len(doubts) else []
    return f"undecided: {' and '.join(parts)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _base(source: str) -> str:
    return source.rpartition("/")[2]
