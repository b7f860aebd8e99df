"""What tests of exports share: the oracle of the other checkers, hostile names, batched systems."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import strategies as st

from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.export.process import ToolMissingError
from bdevcheck.model.export.result import Result
from bdevcheck.model.export.spin import SpinOptions, run_spin
from bdevcheck.model.export.tlc import TlcOptions, run_tlc
from bdevcheck.model.expression import Expression, at
from bdevcheck.model.machine import Row, declare
from bdevcheck.model.property import Form, Property, always, never_breaks
from bdevcheck.model.verify import verify

from .findings import claims
from .toys import systems

# Quick to start, slow to search: for small systems.
QUICK_SPIN = SpinOptions(optimise=("-O0",), hash_bits=18, depth=100_000)
QUICK_TLC = TlcOptions(java=("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"), memory_mb=512)


@dataclass(frozen=True)
class Answer:
    """What every checker must say alike."""

    states: int
    steps: int
    deadlocks: int | None
    verdicts: tuple[bool | None, ...] | None


def ours(system: System, max_states: int = 1_000_000) -> Answer:
    found = explore(system, max_states=max_states)
    assert found.complete
    alive = {source for source, _, _ in found.edges}
    verdicts = tuple(finding.holds for finding in verify(found))
    return Answer(len(found.states), len(found.edges), len(found.states) - len(alive), verdicts)


def answer_of(outcome: Result) -> Answer:
    return Answer(outcome.states, outcome.steps, outcome.deadlocks, outcome.verdicts)


def spin(system: System, options: SpinOptions = QUICK_SPIN) -> Answer:
    try:
        return answer_of(run_spin(system, options=options))
    except ToolMissingError as error:
        pytest.skip(str(error))


def tlc(system: System, options: TlcOptions = QUICK_TLC) -> Answer:
    try:
        outcome = run_tlc(system, options=options)
    except ToolMissingError as error:
        pytest.skip(str(error))
    assert outcome.depth == explore(system).depth
    return answer_of(outcome)


# --- names that no language likes ----------------------------------------------------------------

HOSTILE = (
    "a b", "a-b", "a_b", "if", "IF", "int", "now", "*/ x", "x \\", '"', "[]", "ENABLED", "é → ü",
    "1", "$(x)", "%d", "#define x", "(* x", "*)", "Next", "vars", "",
)  # fmt: skip


def hostile() -> System:
    """Return a system whose every name means something to some language, or nothing at all."""
    rows: list[Row] = [("go", a, b) for a, b in pairwise(HOSTILE[:5])]
    machine = declare("while", HOSTILE, [*rows, ("ask", HOSTILE[3], HOSTILE[3])], about="*/ \\")
    parts = dict.fromkeys(HOSTILE, machine)
    moves = [vector(name, {name: "go", HOSTILE[0]: "ask"}) for name in HOSTILE[1:3]]
    vectors = (vector("Init", {HOSTILE[0]: "go"}), *moves)
    last = at(HOSTILE[1], HOSTILE[4]) & at(HOSTILE[2], "if", "IF")
    wanted = (always("*/ never", ~last), Property('"', Form.LEADS_TO, ~last, last))
    return System("*) hostile */ \\", parts, vectors, wanted, about="(* unclosed")


# --- many systems in one -------------------------------------------------------------------------


def one_of(parts: Sequence[System]) -> System:
    """Return a system that chooses one of `parts` and is that one from then on.

    Another checker starts once for all of them, which takes it longer than to check one.
    """
    names = [f"is_{n}" for n in range(len(parts))]
    rows: list[Row] = [(f"choose_{n}", "none", names[n]) for n in range(len(parts))]
    rows += [(f"ask_{n}", names[n], names[n]) for n in range(len(parts))]
    which = declare("which", ["none", *names], rows)
    components = {"which": which} | {
        f"{n}.{name}": machine
        for n, part in enumerate(parts)
        for name, machine in part.components.items()
    }
    choices = [vector(f"choose {n}", {"which": f"choose_{n}"}) for n in range(len(parts))]
    vectors = [_within(n, each) for n, part in enumerate(parts) for each in part.vectors]
    wanted = [_claimed(n, each) for n, part in enumerate(parts) for each in part.properties]
    return System("one of many", components, (*choices, *vectors), tuple(wanted))


def _within(n: int, each: Vector) -> Vector:
    events = {f"{n}.{name}": event for name, event in each.events} | {"which": f"ask_{n}"}
    fair = f"{n}.{each.fair}" if each.fair else each.fair
    return vector(f"{n}.{each.label}", events, breaks=each.breaks, fair=fair)


def _claimed(n: int, claim: Property) -> Property:
    chosen = at("which", f"is_{n}")
    first, then = (_moved(n, each) for each in (claim.first, claim.then))
    if first is not None and claim.form is Form.ALWAYS:
        first = ~chosen | first
    elif first is not None:
        first = chosen & first
    return replace(claim, name=f"{n}.{claim.name}", first=first, then=then)


def _moved(n: int, expression: Expression | None) -> Expression | None:
    if expression is None:
        return None
    operands = tuple(part for each in expression.operands if (part := _moved(n, each)))
    name = f"{n}.{expression.component}" if expression.operator == "at" else ""
    return replace(expression, component=name, operands=operands)


@st.composite
def claimed_systems(draw: st.DrawFn, max_claims: int = 3) -> System:
    """Draw a small system with tagged steps, claims of all forms, and perhaps a state of rest."""
    system = draw(systems(max_components=2, max_vectors=6))
    tagged = tuple(
        replace(each, breaks=draw(st.sampled_from(["", "", "r"]))) for each in system.vectors
    )
    some = st.one_of(claims(system), st.just(never_breaks("r")))
    wanted = draw(st.lists(some, min_size=1, max_size=max_claims))
    name, machine = draw(st.sampled_from(sorted(system.components.items(), key=lambda x: x[0])))
    rest = draw(st.sampled_from([None, *(at(name, state) for state in machine.states)]))
    return replace(system, vectors=tagged, properties=tuple(wanted), rest=rest)
