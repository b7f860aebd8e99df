"""Promela, the language of SPIN (G. J. Holzmann, *The SPIN Model Checker*, 2004).

One process, one bit field a component, one option of one `do` a step. SPIN then stores exactly the
system's states and counts exactly its steps, and the one that leads to the initial state. Options
that begin with the same test stand together behind it (`if` inside `atomic`: SPIN stores no state
there), which halves SPIN's time; `unsigned` fields make short state vectors.

With ``-DFAIR`` the same text has one process for each fairness class, so that SPIN's own weak
fairness of processes (``pan -f``) is the system's. A step that may be put off for ever belongs to a
process that may do nothing instead.

Each property is a never claim, by hand and not from an LTL formula, because SPIN's translator
takes long predicates for syntax errors. Deadlocks are SPIN's invalid end states: `pan -c0` counts
them. ``spin -o2`` is needed: else a variable that is set and never asked for is no part of a state,
and states that differ in it are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

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

_LOGIC = Logic(" && ", " || ", "!", "true", "false")
_MASK_BITS = 31
"""States whose numbers fit the bits of a positive Promela int."""

_HOW_TO_RUN = (
    "   states:   spin -a -o2 FILE",
    "             cc -O3 -DSAFETY -DNOREDUCE -DNOCLAIM -DNOCOMP -DNOFAIR -o pan pan.c",
    "             ./pan -n -c0 -m1000000           errors: deadlocks; transitions: steps, and one",
    "   claims:   the same without -DNOCLAIM; then",
    "             ./pan -n -m1000000 -N CLAIM",
    "   leads to: spin -a -o2 -DFAIR FILE; cc -O3 -DNOREDUCE -DNFAIR=N -o pan pan.c",
    "             ./pan -n -a -f -m1000000 -N CLAIM    N: a quarter of the processes, and one */",
)

MOST_PROCESSES = 250
"""SPIN runs 255 processes at most, its claim among them."""


def write(system: System) -> Iterator[str]:
    """Yield the lines of the model, without line ends.

    Raises `ExportError` where fairness needs more processes than SPIN has.
    """
    text = _names_of(system)
    yield f"/* {in_comment(system.name)}: {in_comment(system.about)}"
    yield from _HOW_TO_RUN
    yield ""
    yield from _declarations(system, text)
    yield from _with_fairness(system, text) if _needs_fairness(system) else _plain(system, text)
    yield from _claims(system, text)


def claim_names(system: System) -> tuple[str, ...]:
    """Return the names of the never claims, one for each property, in the system's order."""
    unique = [f"{number} {claim.name}" for number, claim in enumerate(system.properties, 1)]
    return tuple(identifiers(unique, prefix="claim_").values())


def processes_of(system: System) -> int:
    """Return how many processes the fair form of the model has."""
    return len(classes_of(system).keys() | {UNFAIR})


@dataclass(frozen=True, slots=True)
class _Names:
    """Components -> variables, and machines -> the constants of their states."""

    variables: dict[str, str]
    constants: dict[tuple[str, tuple[str, ...]], tuple[str, ...]]

    def states(self, machine: Machine) -> tuple[str, ...]:
        return self.constants[machine.name, machine.states]


def _names_of(system: System) -> _Names:
    # The prefix keeps clear of the words of Promela, of C, and of SPIN's generated checker.
    variables = identifiers(system.components, prefix="at_")
    keys = dict.fromkeys((each.name, each.states) for each in system.components.values())
    used = set(variables.values())
    constants = {}
    for name, states in keys:
        (stem,) = identifiers([name], prefix="is_").values()
        found = tuple(identifiers(states, prefix=f"{stem}_", taken=used).values())
        constants[name, states] = found
        used.update(found)
    return _Names(variables, constants)


def _declarations(system: System, text: _Names) -> Iterator[str]:
    for (name, states), constants in text.constants.items():
        yield f"/* {in_comment(name)} */"
        for number, (state, constant) in enumerate(zip(states, constants, strict=True)):
            note = "" if constant.endswith(f"_{state}") else f" /* {in_comment(state)} */"
            yield f"#define {constant} {number}{note}"
    yield ""
    for name, variable in text.variables.items():
        width = max(1, (len(system.components[name].states) - 1).bit_length())
        note = "" if variable == f"at_{name}" else f" /* {in_comment(name)} */"
        yield f"unsigned {variable} : {width};{note}"
    yield ""


# --- steps ---------------------------------------------------------------------------------------


def _needs_fairness(system: System) -> bool:
    return any(claim.form is Form.LEADS_TO for claim in system.properties)


def _plain(system: System, text: _Names) -> Iterator[str]:
    yield from _process("system", system, text, system.vectors)


def _with_fairness(system: System, text: _Names) -> Iterator[str]:
    if processes_of(system) > MOST_PROCESSES:
        raise ExportError(
            f"{system.name} has {processes_of(system)} fairness classes; SPIN has processes for "
            f"{MOST_PROCESSES}; leave out the properties of the form `leads to`"
        )
    classes = classes_of(system)
    unfair = classes.pop(UNFAIR, [])
    names = identifiers(classes, prefix="class_")
    yield "#ifndef FAIR"
    yield from _plain(system, text)
    yield "#else"
    yield from _process("unfair", system, text, unfair, idle=True)
    for label, vectors in classes.items():
        yield from _process(names[label], system, text, vectors)
    yield "#endif"


def _process(
    name: str, system: System, text: _Names, vectors: Sequence[Vector], *, idle: bool = False
) -> Iterator[str]:
    yield f"active proctype {name}() {{ do"
    if idle:
        always = _always(next(iter(text.variables.values()), "_pid"))
        yield f":: {always} /* what is not fair may be put off for ever */"
    elif not vectors:
        yield ":: false -> skip"
    for begins, options in _by_first_test(system, text, vectors).items():
        yield from _options(begins, options)
    yield "od }"


@dataclass(frozen=True, slots=True)
class _Option:
    """What Promela says of a vector. `always` is a guard that always holds."""

    always: str
    tests: tuple[str, ...]
    updates: tuple[str, ...]
    label: str


def _option(system: System, text: _Names, vector: Vector) -> _Option:
    parts = parts_of(system, vector)
    tests = tuple(_at(text, part.component, part.machine, part.sources) for part in parts)
    updates = tuple(_update(text, part) for part in parts if part.moves)
    return _Option(_always(text.variables[parts[0].component]), tests, updates, vector.label)


def _always(variable: str) -> str:
    """Write a guard that always holds: not `true`, of which SPIN makes a loop that it refuses."""
    return f"{variable} >= 0"


def _by_first_test(
    system: System, text: _Names, vectors: Iterable[Vector]
) -> dict[str, list[_Option]]:
    found: dict[str, list[_Option]] = {}
    for vector in vectors:
        option = _option(system, text, vector)
        found.setdefault(option.tests[0], []).append(option)
    return found


def _options(begins: str, options: Sequence[_Option]) -> Iterator[str]:
    """Yield an option; several of one beginning share it, and are guarded by what else they ask."""
    if len(options) == 1:
        yield f":: atomic {{ {_step(options[0].tests, options[0])} }}"
        return
    rest = _LOGIC.disjunction([_LOGIC.conjunction(option.tests[1:]) for option in options])
    yield f":: atomic {{ {_guard([begins, _bracketed(rest)], options[0].always)} ->"
    yield "   if"
    yield from (f"   :: {_step(option.tests[1:], option)}" for option in options)
    yield "   fi }"


def _bracketed(term: str) -> str:
    return term if term == _LOGIC.true else f"({term})"


def _guard(tests: Sequence[str], always: str) -> str:
    guard = _LOGIC.conjunction(tests)
    return always if guard == _LOGIC.true else guard


def _step(tests: Sequence[str], option: _Option) -> str:
    effect = f" -> {'; '.join(option.updates)}" if option.updates else ""
    return f"{_guard(tests, option.always)}{effect} /* {in_comment(option.label)} */"


def _at(text: _Names, component: str, machine: Machine, numbers: Sequence[int]) -> str:
    """Write that a component is in one of some states, as one comparison where that can be."""
    variable, names, size = text.variables[component], text.states(machine), len(machine.states)
    others = sorted(set(range(size)) - set(numbers))
    if not others:
        return _LOGIC.true
    if len(numbers) == 1:
        return f"{variable} == {names[numbers[0]]}"
    if len(others) == 1:
        return f"{variable} != {names[others[0]]}"
    if size <= _MASK_BITS:
        mask = " | ".join(f"1 << {names[number]}" for number in numbers)
        return f"((1 << {variable}) & ({mask}))" if numbers else _LOGIC.false
    runs = (f"({variable} >= {low} && {variable} <= {high})" for low, high in _runs(numbers))
    return f"({' || '.join(runs) or _LOGIC.false})"


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each stretch of consecutive numbers."""
    for _, pairs in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        stretch = [number for _, number in pairs]
        yield stretch[0], stretch[-1]


def _update(text: _Names, part: Part) -> str:
    variable, names = text.variables[part.component], text.states(part.machine)
    dests = {dest for _, dest in part.steps}
    shifts = {dest - source for source, dest in part.steps}
    if len(dests) == 1:
        return f"{variable} = {names[dests.pop()]}"
    if len(shifts) == 1:
        return f"{variable} = {variable} + {shifts.pop()}".replace("+ -", "- ")
    value = variable
    for source, dest in part.steps:
        if source != dest:
            value = f"({variable} == {names[source]} -> {names[dest]} : {value})"
    return f"{variable} = {value}"


# --- claims --------------------------------------------------------------------------------------


def _claims(system: System, text: _Names) -> Iterator[str]:
    for claim, name in zip(system.properties, claim_names(system), strict=True):
        fair = claim.form is Form.LEADS_TO
        yield ""
        yield f"/* {in_comment(claim.name)}: {in_comment(str(claim))} */"
        yield from ["#ifdef FAIR"] * fair
        yield f"never {name} {{"
        yield from _never(system, text, claim)
        yield "}"
        yield from ["#endif"] * fair


def _never(system: System, text: _Names, claim: Property) -> Iterator[str]:
    """Yield the automaton of what must not happen."""
    written = [_expression(system, text, each) for each in expressions_of(claim)]
    if claim.form is Form.LEADS_TO:
        first, then = written
        yield f"wait: do :: ({first}) && !({then}) -> goto accept_late :: true od;"
        yield f"accept_late: do :: !({then}) od"
        return
    match claim.form:
        case Form.ALWAYS:
            reached = f"!({written[0]})"
        case Form.SOMETIMES:  # what must not happen is what is hoped for: a violation shows it
            reached = written[0]
        case Form.NEVER_BREAKS:
            reached = _some_enabled(system, text, breakers(system, claim.rule))
        case Form.NO_DEADLOCK:
            rest = _LOGIC.false if system.rest is None else _expression(system, text, system.rest)
            reached = f"!({_some_enabled(system, text, system.vectors)} || ({rest}))"
    yield f"do :: {reached} -> break :: else od"


def _expression(system: System, text: _Names, expression: Expression) -> str:
    def at(component: str, numbers: Sequence[int]) -> str:
        return _at(text, component, system.components[component], numbers)

    return render(expression, system, _LOGIC, at)


def _some_enabled(system: System, text: _Names, vectors: Sequence[Vector]) -> str:
    options = (_option(system, text, vector) for vector in vectors)
    return f"({_LOGIC.disjunction([_LOGIC.conjunction(option.tests) for option in options])})"
