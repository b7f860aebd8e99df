r"""TLA+, and the configuration with which TLC checks it (L. Lamport, *Specifying Systems*, 2002).

A variable for each component, a named action for each vector, `Next` their disjunction, so that TLC
finds as many distinct states as the system has, and generates one more than it has steps.

Fairness: ``WF_vars`` of each class, the disjunction of its actions. Taking a self-loop serves a
class in the system, but TLA+ cannot tell it from doing nothing. A run may do it as often as it
comes to such a state, so the class is owed nothing more by a run that comes there again and again:
it is ``WF_vars`` of the class outside these states, which says just that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bdevcheck.model.compose import UNFAIR, System, Vector
from bdevcheck.model.export.error import ExportError
from bdevcheck.model.export.name import identifiers, in_comment
from bdevcheck.model.export.part import (
    Logic,
    Part,
    breakers,
    classes_of,
    expressions_of,
    parts_of,
    render,
)
from bdevcheck.model.expression import Expression
from bdevcheck.model.machine import Machine
from bdevcheck.model.property import Form, Property

_LOGIC = Logic(r" /\ ", r" \/ ", "~", "TRUE", "FALSE")
_OF_STATES = replace(_LOGIC, true="vars = vars", false="vars # vars")
"""For claims about states. TLC 2.15 takes ``P ~> TRUE`` for violated, TRUE being a constant and
not what a state says."""


def module_name(system: System) -> str:
    """Return the module's name; its file must be called the same."""
    return identifiers([system.name], prefix="").popitem()[1]


def write(system: System, *, module: str | None = None) -> Iterator[str]:
    """Yield the lines of the module, without line ends.

    Raises `ExportError` for a name that no module can have.
    """
    text = _names_of(system, _checked(module or module_name(system)))
    yield f"---- MODULE {text.module} ----"
    yield f"(* {in_comment(system.name)}: {in_comment(system.about)} *)"
    yield ""
    yield from _state(system, text)
    for vector in system.vectors:
        yield from _action(system, text, vector)
    yield from _behaviour(system, text)
    yield from _claims(system, text)
    yield "===="


def configuration(system: System) -> Iterator[str]:
    """Yield the lines of the ``.cfg`` file with which TLC checks every property.

    What is claimed of `sometimes` is commented out: its violation is the example that is wanted,
    and TLC stops at the first violation.
    """
    yield "SPECIFICATION Spec"
    yield r"\* run TLC with -deadlock: where the system may stop is a claim like the others"
    yield "INVARIANT TypeOK"
    for claim, name in zip(system.properties, claim_names(system), strict=True):
        if claim.form is Form.SOMETIMES:
            yield r"\* the violation of this one shows how it comes about:"
            yield rf"\* INVARIANT {name}"
        else:
            yield f"{'PROPERTY' if claim.form is Form.LEADS_TO else 'INVARIANT'} {name}"


def claim_names(system: System) -> tuple[str, ...]:
    """Return the names of the formulas, one for each property, in the system's order.

    That of `sometimes` says *never*: it must be violated.
    """
    unique = [
        f"{number} {'never ' if claim.form is Form.SOMETIMES else ''}{claim.name}"
        for number, claim in enumerate(system.properties, 1)
    ]
    return tuple(identifiers(unique, prefix="Claim_").values())


@dataclass(frozen=True, slots=True)
class _Names:
    """The module, component -> variable, label -> action, fairness class -> formula, strings."""

    module: str
    variables: dict[str, str]
    actions: dict[str, str]
    classes: dict[str, str]
    strings: dict[tuple[str, ...], tuple[str, ...]]

    def states(self, machine: Machine) -> tuple[str, ...]:
        return self.strings[machine.states]


def _names_of(system: System, module: str) -> _Names:
    # Each kind of name begins in its own way, so that none is another's, nor a word of TLA+.
    machines = system.components.values()
    return _Names(
        module,
        identifiers(system.components, prefix="v_"),
        identifiers((each.label for each in system.vectors), prefix="Do_"),
        identifiers((each for each in classes_of(system) if each != UNFAIR), prefix="Class_"),
        {each.states: tuple(identifiers(each.states).values()) for each in machines},
    )


def _checked(module: str) -> str:
    if identifiers([module]) != {module: module} or module.isdigit():
        raise ExportError(
            f"{module!r} cannot be the name of a TLA+ module, which is that of its file; "
            "it must be made of letters, digits and single underscores, with a letter"
        )
    return module


# --- states and steps ----------------------------------------------------------------------------


def _state(system: System, text: _Names) -> Iterator[str]:
    listed = ", ".join(text.variables.values())
    yield f"VARIABLES {listed}" if listed else ""
    yield f"vars == <<{listed}>>"
    yield ""
    yield "TypeOK =="
    for name, variable in text.variables.items():
        strings = ", ".join(f'"{state}"' for state in text.states(system.components[name]))
        note = "" if variable == f"v_{name}" else rf" \* {in_comment(name)}"
        yield rf"    /\ {variable} \in {{{strings}}}{note}"
    yield ""
    yield "Init =="
    for name, variable in text.variables.items():
        yield rf'    /\ {variable} = "{text.states(system.components[name])[0]}"'
    yield ""


def _action(system: System, text: _Names, vector: Vector) -> Iterator[str]:
    parts = parts_of(system, vector)
    yield rf"\* {in_comment(vector.label)}"
    if vector.breaks:
        yield rf"\* breaks {in_comment(vector.breaks)}"
    yield f"{text.actions[vector.label]} =="
    for part in parts:
        test = _at(text, part.component, part.machine, part.sources)
        if test != _LOGIC.true:
            yield rf"    /\ {test}"
    changed = [part for part in parts if part.moves]
    for part in changed:
        yield rf"    /\ {text.variables[part.component]}' = {_after(text, part)}"
    moved = {part.component for part in changed}
    kept = [variable for name, variable in text.variables.items() if name not in moved]
    yield rf"    /\ UNCHANGED <<{', '.join(kept)}>>"
    yield ""


def _at(text: _Names, component: str, machine: Machine, numbers: Sequence[int]) -> str:
    variable, strings = text.variables[component], text.states(machine)
    others = sorted(set(range(len(strings))) - set(numbers))
    if not others:
        return _LOGIC.true
    if len(numbers) == 1:
        return f'{variable} = "{strings[numbers[0]]}"'
    if len(others) == 1:
        return f'{variable} # "{strings[others[0]]}"'
    listed = ", ".join(f'"{strings[number]}"' for number in numbers)
    return rf"{variable} \in {{{listed}}}"


def _after(text: _Names, part: Part) -> str:
    strings = text.states(part.machine)
    dests = {dest for _, dest in part.steps}
    if len(dests) == 1:
        return f'"{strings[dests.pop()]}"'
    variable = text.variables[part.component]
    cases = (f'{variable} = "{strings[s]}" -> "{strings[d]}"' for s, d in part.steps)
    return f"CASE {' [] '.join(cases)}"


def _behaviour(system: System, text: _Names) -> Iterator[str]:
    yield "Next =="
    yield from _any_of(text, system.vectors)
    yield ""
    owed = []
    for label, vectors in classes_of(system).items():
        if label == UNFAIR or not _may_move(system, vectors):
            continue
        if len(vectors) == 1:
            formula = text.actions[vectors[0].label]
        else:
            formula = text.classes[label]
            yield rf"\* {in_comment(label)}"
            yield f"{formula} =="
            yield from _any_of(text, vectors)
        owed.append(rf"    /\ WF_vars({formula}{_outside_loops(system, text, vectors)})")
    yield ""
    yield "Fairness ==" if owed else f"Fairness == {_LOGIC.true}"
    yield from owed
    yield ""
    yield r"Spec == Init /\ [][Next]_vars /\ Fairness"
    yield ""


def _any_of(text: _Names, vectors: Sequence[Vector]) -> Iterator[str]:
    yield from (rf"    \/ {text.actions[each.label]}" for each in vectors)
    if not vectors:
        yield rf"    {_LOGIC.false} /\ UNCHANGED vars"  # TLC wants an action, not a constant


def _may_move(system: System, vectors: Sequence[Vector]) -> bool:
    """Tell whether some of `vectors` does more than test, so that fairness says something of it."""
    return any(part.moves for each in vectors for part in parts_of(system, each))


def _outside_loops(system: System, text: _Names, vectors: Sequence[Vector]) -> str:
    """Write that none of `vectors` is enabled and changes nothing; nothing where none ever does."""
    parts = [parts_of(system, each) for each in vectors]
    loops = [_loop(text, each) for each in parts if all(part.stays for part in each)]
    return rf" /\ ~({_LOGIC.disjunction(loops)})" if loops else ""


def _loop(text: _Names, parts: Sequence[Part]) -> str:
    return _LOGIC.conjunction(
        [_at(text, part.component, part.machine, part.stays) for part in parts]
    )


# --- claims --------------------------------------------------------------------------------------


def _claims(system: System, text: _Names) -> Iterator[str]:
    for claim, name in zip(system.properties, claim_names(system), strict=True):
        yield rf"\* {in_comment(claim.name)}: {in_comment(str(claim))}"
        yield f"{name} == {_claim(system, text, claim)}"
        yield ""


def _claim(system: System, text: _Names, claim: Property) -> str:
    written = [f"({_expression(system, text, each)})" for each in expressions_of(claim)]
    match claim.form:
        case Form.ALWAYS:
            return written[0]
        case Form.SOMETIMES:
            return f"~{written[0]}"
        case Form.LEADS_TO:
            return " ~> ".join(written)
        case Form.NEVER_BREAKS:
            names = [text.actions[each.label] for each in breakers(system, claim.rule)]
            return f"~ENABLED ({_LOGIC.disjunction(names)})"
        case Form.NO_DEADLOCK:
            rest = _LOGIC.false if system.rest is None else _expression(system, text, system.rest)
            return rf"ENABLED Next \/ ({rest})"


def _expression(system: System, text: _Names, expression: Expression) -> str:
    def at(component: str, numbers: Sequence[int]) -> str:
        found = _at(text, component, system.components[component], numbers)
        return _OF_STATES.true if found == _LOGIC.true else found

    return render(expression, system, _OF_STATES, at)
