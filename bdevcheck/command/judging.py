"""Judge runs as the user asked for: one here, or many in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bdevcheck.command.intake import Group
from bdevcheck.command.pool import Failed, outcomes
from bdevcheck.conformance.fleet import Run, Trouble
from bdevcheck.conformance.verdict import Report
from bdevcheck.traces.detect import Form
from bdevcheck.traces.record import InputError


@dataclass(frozen=True, slots=True)
class Asked:
    """How to judge: by which rules, and how far clocks may be apart.

    `version`: the version of SPDK, or bundle, to judge against; empty: by the rules. `form`: what
    all files are; None: their content tells.
    """

    rules: tuple[str, ...]
    version: str
    tolerance_ns: int
    utc_offset_s: int | None
    form: Form | None = None


def judge(
    files: Sequence[str], asked: Asked, progress: Callable[[int, int], None] | None = None
) -> Report:
    """Judge the files of one run; raises InputError."""
    from bdevcheck.conformance import check_files
    from bdevcheck.conformance.against import against

    report = check_files(
        files,
        forms=dict.fromkeys(files, asked.form) if asked.form is not None else {},
        rules=asked.rules,
        tolerance_ns=asked.tolerance_ns,
        utc_offset_s=asked.utc_offset_s,
        progress=progress,
    )
    return against(report, asked.version) if asked.version else report


def judge_group(group: Group, asked: Asked) -> Run:
    """Judge one run among several: what cannot be read is its own trouble."""
    try:
        report = judge(group.files, asked)
        return Run(group.name, group.files, replace(report, notes=(*report.notes, *_notes(group))))
    except InputError as error:
        reason = f"{_place(error)}: {error.message}; allowed: {error.allowed}"
        return Run(group.name, group.files, trouble=Trouble.UNREADABLE, reason=reason)


def judge_groups(groups: Sequence[Group], asked: Asked, jobs: int) -> Iterator[tuple[int, Run]]:
    """Yield (number, run) as they are done, in any order."""
    for number, found in outcomes(partial(judge_group, asked=asked), groups, jobs):
        yield number, _run_of(groups[number], found)


def _notes(group: Group) -> tuple[str, ...]:
    beside = f"{group.log_beside} stands beside the wire, but was not given"
    return (beside,) if group.log_beside else ()


def _run_of(group: Group, found: Run | Failed) -> Run:
    if isinstance(found, Run):
        return found
    return Run(group.name, group.files, trouble=Trouble.FAULT, reason=found.reason)


def _place(error: InputError) -> str:
    return f"{error.path}:{error.line}" if error.line else error.path
