"""Findings: run a case, say what is wrong with what comes out, and make it small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fuzz.case import Case, Inputs, inputs_of, with_mutations
from fuzz.oracle import COMPARING, Claim, breach_of
from fuzz.runner import TRACEBACK, Bench, Run, Trouble, run, run_within_budget
from fuzz.sample import Sample, joined, lines_of
from fuzz.shrink import ddmin


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the outcome of a case.

    `kind` is "traceback", "hang" or the claim that is broken; `key` is the same for findings of one
    cause, as far as that can be told; `text` says more.
    """

    case: Case
    inputs: Inputs
    kind: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a case: the run of what it makes, and the finding, if there is one."""

    inputs: Inputs
    run: Run
    finding: Finding | None


def try_case(bench: Bench, case: Case) -> Tried:
    """Run a case, and the sample that it was made of where its claim is about both."""
    inputs = inputs_of(case)
    after = run_within_budget(bench, inputs.after, (case.base, case.donor))
    if after.trouble is not None:
        return Tried(inputs, after, _trouble(case, inputs, after.trouble))
    before = _run_before(bench, case, inputs) if inputs.claim in COMPARING else None
    if before is not None and before.trouble is not None:
        alone = replace(inputs, after=inputs.before, claim=Claim.NOTHING)
        return Tried(inputs, after, _trouble(case, alone, before.trouble))
    breach = breach_of(inputs.claim, before.judged if before else None, after.judged)
    if not breach:
        return Tried(inputs, after, None)
    key = f"{inputs.claim} {case.mutations[-1].name}"
    return Tried(inputs, after, Finding(case, inputs, str(inputs.claim), key, breach))


def _run_before(bench: Bench, case: Case, inputs: Inputs) -> Run:
    if inputs.before is case.base:
        return bench.unmutated(case.base)
    return run_within_budget(bench, inputs.before, (case.base, case.donor))


def _trouble(case: Case, inputs: Inputs, trouble: Trouble) -> Finding:
    return Finding(case, inputs, trouble.kind, trouble.key, trouble.text)


def minimised(bench: Bench, finding: Finding) -> Finding:
    """Return the finding with as few mutations, and for a traceback as few lines, as still fail."""
    smallest = finding

    def fails(mutations: Sequence[object]) -> bool:
        nonlocal smallest
        case = with_mutations(finding.case, [m for m in finding.case.mutations if m in mutations])
        found = try_case(bench, case).finding
        if found is None or found.key != finding.key:
            return False
        smallest = found
        return True

    kept = ddmin(finding.case.mutations, fails)
    fails(kept)
    return fewer_lines(bench, smallest) if finding.kind == TRACEBACK else smallest


def fewer_lines(bench: Bench, finding: Finding) -> Finding:
    """Drop lines that a traceback does not need, of the log first."""
    sample = finding.inputs.after

    def holds(smaller: Sample) -> bool:
        trouble = run(bench, smaller, None).trouble
        return trouble is not None and trouble.key == finding.key

    def without(lines_to: Callable[[bytes], Sample]) -> Callable[[Sequence[bytes]], bool]:
        return lambda lines: holds(lines_to(joined(lines)))

    if sample.log is not None and holds(replace(sample, log=None)):
        sample = replace(sample, log=None)
    if sample.log is not None:
        whole = sample
        lines = ddmin(lines_of(sample.log), without(lambda log: replace(whole, log=log)))
        sample = _if(holds, replace(sample, log=joined(lines)), sample)
    whole_wire = sample
    lines = ddmin(lines_of(sample.wire), without(lambda wire: replace(whole_wire, wire=wire)))
    sample = _if(holds, replace(sample, wire=joined(lines)), sample)
    return replace(finding, inputs=replace(finding.inputs, after=sample))


def _if(holds: Callable[[Sample], bool], smaller: Sample, larger: Sample) -> Sample:
    return smaller if holds(smaller) else larger
