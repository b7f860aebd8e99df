"""Judge a report against one version of SPDK: "does it behave like v24.05?".

The rules say what SPDK promises; a variant says what a version does, faults included. A trace of
v24.05 that breaks a rule as v24.05 does therefore *conforms* to v24.05, and a trace that breaks no
rule may still show what v24.05 never does.
"""

from __future__ import annotations

from dataclasses import replace

from bdevcheck.conformance.explain import EVERY_RULE
from bdevcheck.conformance.verdict import Report, Verdict, Violation
from bdevcheck.model.variant import STANDS_FOR, VARIANTS, VERSIONS

NAMES: tuple[str, ...] = (*VARIANTS, *VERSIONS)
"""What a report can be judged against: the bundles, then the versions that they stand for."""


def against(report: Report, name: str) -> Report:
    """Return the report with its verdict about one version of SPDK, or one bundle, by `name`.

    * ``conforms``: the trace exercises something, and the behaviour of this version fits it all;
    * ``violates``: it does not fit; `explained_by` says which versions do;
    * ``unexplained``: no run of the model fits, in any version;
    * ``undecided``: nothing was exercised, or what is left of a damaged recording fits.

    What was found of the rules stays in the report as it was. A version is judged by its bundle:
    where it differs from the version that the bundle stands for (`STANDS_FOR`), a note says so. A
    pass does not prove that the target *is* this version: `explained_by` lists all that fit, and a
    short trace fits most. Raises ValueError for an unknown name.
    """
    bundle = bundle_of(name)
    note = _note(name, bundle)
    notes = (*report.notes, note) if note else report.notes
    return replace(report, verdict=_verdict(report, bundle), notes=notes, against=name)


def bundle_of(name: str) -> str:
    """Return the bundle that says what a version of SPDK does; a bundle's own name will do.

    >>> bundle_of("v24.05"), bundle_of("modern")
    ('buggy', 'modern')
    """
    bundle = VERSIONS.get(name, name)
    if bundle not in VARIANTS:
        raise ValueError(f"no version or variant {name!r}; there are: {', '.join(NAMES)}")
    return bundle


def is_excused(report: Report, violation: Violation) -> bool:
    """Tell whether the version that the report is judged against is known to do this."""
    return bool(report.against) and bundle_of(report.against) in violation.known_in


def exercises(report: Report) -> bool:
    """Tell whether the trace put any rule to the test."""
    return any(tally.exercised for tally in report.obligations.values())


def _verdict(report: Report, bundle: str) -> Verdict:
    if report.unexplained:
        return Verdict.UNEXPLAINED
    if bundle not in report.explained_by:
        return Verdict.VIOLATES
    whole = any(doubt.rule == EVERY_RULE for doubt in report.undecided)
    return Verdict.UNDECIDED if whole or not exercises(report) else Verdict.CONFORMS


def _note(name: str, bundle: str) -> str:
    stands_for = STANDS_FOR[bundle]
    if name in (bundle, stands_for):
        return ""
    return f"{name} is judged as variant {bundle}, which stands for {stands_for}"
