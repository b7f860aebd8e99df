"""JSON: a system (or one machine) as a document that reads back to an equal one.

``bdevcheck-system``, version 1: machines are written once and named by the components that are
them; expressions are ``{"at": component, "states": [...]}``, ``{"not": e}``, ``{"all": [...]}`` and
``{"any": [...]}``. The rows of a machine are in the form of `transitions`; a file that is written
by hand may use its lists of sources, ``"*"`` and ``"="``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Literal, TypeVar

import msgspec

from bdevcheck.model.compose import CompositionError, System, Vector
from bdevcheck.model.export.error import FormatError
from bdevcheck.model.export.part import expressions_of
from bdevcheck.model.expression import Expression
from bdevcheck.model.machine import Machine, MachineError, declare
from bdevcheck.model.property import Form, Property

SYSTEM, MACHINE, VERSION = "bdevcheck-system", "bdevcheck-machine", 1
"""What stands at the head of a document."""

LARGEST, DEEPEST, WIDEST = 64 * 1024 * 1024, 250, 10_000_000
"""The most that is read: bytes of a document, expressions inside one another, rows times states of
a machine."""


class _Struct(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is written; nothing else may stand there."""


class _Machine(_Struct):
    name: str
    states: list[str]
    rows: list[tuple[str, str | list[str], str]]
    resting: list[str]
    about: str = ""


class _Component(_Struct):
    name: str
    machine: str


class _Vector(_Struct):
    label: str
    events: dict[str, str]
    breaks: str = ""
    fair: str | None = None


class _Expression(_Struct):
    at: str | None = None
    states: list[str] = []
    no: _Expression | None = msgspec.field(name="not", default=None)
    all: list[_Expression] | None = None
    any: list[_Expression] | None = None


class _Property(_Struct):
    name: str
    form: Form
    first: _Expression | None = None
    then: _Expression | None = None
    rule: str = ""


class _System(_Struct, kw_only=True, omit_defaults=False):
    format: Literal["bdevcheck-system"] = "bdevcheck-system"
    version: Literal[1] = 1
    name: str
    about: str = ""
    machines: dict[str, _Machine]
    components: list[_Component]
    vectors: list[_Vector]
    properties: list[_Property] = []
    rest: _Expression | None = None
    interchangeable: list[list[str]] = []


class _MachineFile(_Struct, kw_only=True, omit_defaults=False):
    format: Literal["bdevcheck-machine"] = "bdevcheck-machine"
    version: Literal[1] = 1
    machine: _Machine


# --- writing -------------------------------------------------------------------------------------


def write(system: System) -> Iterator[str]:
    """Yield the lines of a system's document, without line ends."""
    keys = _keys(system.components.values())
    machines = {key: _machine_of(machine) for machine, key in keys}
    parts = [_Component(name, _key_of(keys, each)) for name, each in system.components.items()]
    return _lines(
        _System(
            name=system.name,
            about=system.about,
            machines=machines,
            components=parts,
            vectors=[_vector_of(each) for each in system.vectors],
            properties=[_property_of(each) for each in system.properties],
            rest=_written(system.rest),
            interchangeable=[list(family) for family in system.interchangeable],
        )
    )


def write_machine(machine: Machine) -> Iterator[str]:
    """Yield the lines of one machine's document, without line ends."""
    return _lines(_MachineFile(machine=_machine_of(machine)))


def _lines(document: _Struct) -> Iterator[str]:
    return _laid_out(msgspec.to_builtins(document), "", "")


_WIDTH = 100


def _laid_out(value: object, begins: str, ends: str) -> Iterator[str]:
    """Yield JSON: what fits a line stands on one, what does not is opened, item by item."""
    indent = begins[: len(begins) - len(begins.lstrip())]
    whole = f"{begins}{json.dumps(value, ensure_ascii=False)}{ends}"
    if len(whole) <= _WIDTH or not isinstance(value, dict | list | tuple):
        yield whole
        return
    if isinstance(value, dict):
        marks, items = "{}", [(f"{json.dumps(key)}: ", each) for key, each in value.items()]
    else:
        marks, items = "[]", [("", each) for each in value]
    yield f"{begins}{marks[0]}"
    for number, (key, each) in enumerate(items, 1):
        yield from _laid_out(each, f"{indent} {key}", "," if number < len(items) else "")
    yield f"{indent}{marks[1]}{ends}"


_Keys = list[tuple[Machine, str]]


def _keys(machines: Iterable[Machine]) -> _Keys:
    """Name each different machine: by its own name, and a number where another one has that."""
    found: _Keys = []
    for each in machines:
        if not any(each == known for known, _ in found):
            namesakes = sum(known.name == each.name for known, _ in found)
            found.append((each, f"{each.name}#{namesakes + 1}" if namesakes else each.name))
    return found


def _key_of(keys: _Keys, machine: Machine) -> str:
    return next(key for known, key in keys if known == machine)


def _machine_of(machine: Machine) -> _Machine:
    resting = [state for state in machine.states if state in machine.resting]
    return _Machine(machine.name, list(machine.states), list(machine.rows), resting, machine.about)


def _vector_of(each: Vector) -> _Vector:
    return _Vector(each.label, dict(each.events), each.breaks, each.fair)


def _property_of(each: Property) -> _Property:
    return _Property(each.name, each.form, _written(each.first), _written(each.then), each.rule)


def _written(expression: Expression | None) -> _Expression | None:
    if expression is None:
        return None
    if expression.operator == "at":
        return _Expression(at=expression.component, states=list(expression.states))
    operands = [part for each in expression.operands if (part := _written(each)) is not None]
    if expression.operator == "not":
        return _Expression(no=operands[0])
    if expression.operator == "all":
        return _Expression(all=operands)
    return _Expression(any=operands)


# --- reading -------------------------------------------------------------------------------------


def read(text: str | bytes) -> System:
    """Read the document of a system; raises `FormatError` that names the place.

    Everything that a system can get wrong is found here and not in a search: components, events and
    states that do not exist, labels and names that come twice.
    """
    document = _decoded(text, _System, SYSTEM)
    machines = {
        key: _machine(each, f"$.machines[{key!r}]") for key, each in document.machines.items()
    }
    components = _components(document, machines)
    vectors = tuple(_vector(each) for each in document.vectors)
    claims = tuple(_property(each, n) for n, each in enumerate(document.properties))
    rest = _read(document.rest, "$.rest")
    families = tuple(tuple(family) for family in document.interchangeable)
    try:
        system = System(document.name, components, vectors, claims, rest, document.about, families)
    except CompositionError as error:
        raise FormatError(f"$.vectors: {error}") from error
    _check_expressions(system)
    return system


def read_machine(text: str | bytes) -> Machine:
    """Read the document of one machine; raises `FormatError` that names the place."""
    return _machine(_decoded(text, _MachineFile, MACHINE).machine, "$.machine")


_S = TypeVar("_S", _System, _MachineFile)


class _Head(msgspec.Struct):
    format: str
    version: int


def _decoded(text: str | bytes, kind: type[_S], wanted: str) -> _S:
    if len(text) > LARGEST:
        raise FormatError(f"larger than {LARGEST:,} bytes, the most that is read")
    try:
        head = msgspec.json.decode(text, type=_Head)
        if (head.format, head.version) != (wanted, VERSION):
            found = f"{head.format!r} version {head.version}"
            raise FormatError(f"$.format: found {found}, allowed is {wanted!r} version {VERSION}")
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise FormatError(str(error)) from error
    except RecursionError as error:
        raise FormatError("nested too deeply") from error
    except UnicodeError as error:
        raise FormatError(f"not UTF-8: {error}") from error


def _machine(written: _Machine, place: str) -> Machine:
    if len(written.rows) * len(written.states) > WIDEST:
        raise FormatError(f"{place}: rows times states is more than {WIDEST:,}, the most allowed")
    try:
        return declare(
            written.name,
            written.states,
            written.rows,
            resting=written.resting,
            about=written.about,
        )
    except MachineError as error:
        raise FormatError(f"{place}: {error}") from error


def _components(document: _System, machines: dict[str, Machine]) -> dict[str, Machine]:
    found: dict[str, Machine] = {}
    for number, each in enumerate(document.components):
        place = f"$.components[{number}]"
        if each.machine not in machines:
            known = ", ".join(machines)
            raise FormatError(f"{place}: no machine {each.machine!r}; there are: {known}")
        if each.name in found:
            raise FormatError(f"{place}: two components are called {each.name!r}")
        found[each.name] = machines[each.machine]
    return found


def _vector(written: _Vector) -> Vector:
    events = tuple(sorted(written.events.items()))
    return Vector(written.label, events, written.breaks, written.fair)


def _property(written: _Property, number: int) -> Property:
    place = f"$.properties[{number}]"
    first, then = _read(written.first, f"{place}.first"), _read(written.then, f"{place}.then")
    return Property(written.name, written.form, first, then, written.rule)


def _read(written: _Expression | None, place: str) -> Expression | None:
    return None if written is None else _expression(written, place, 1)


def _expression(written: _Expression, place: str, depth: int) -> Expression:
    if depth > DEEPEST:
        raise FormatError(f"more than {DEEPEST} expressions inside one another")
    chosen = [each for each in ("at", "no", "all", "any") if getattr(written, each) is not None]
    if len(chosen) != 1 or (written.states and written.at is None):
        raise FormatError(f"{place}: an expression is one of at (with states), not, all, any")
    if written.at is not None:
        return Expression("at", written.at, tuple(written.states))
    if written.no is not None:
        return Expression("not", operands=(_expression(written.no, f"{place}.not", depth + 1),))
    inside = written.all if written.all is not None else written.any or []
    operands = (
        _expression(each, f"{place}.{chosen[0]}[{n}]", depth + 1) for n, each in enumerate(inside)
    )
    return Expression(chosen[0], operands=tuple(operands))


def _check_expressions(system: System) -> None:
    for number, claim in enumerate(system.properties):
        place = f"$.properties[{number}]"
        try:
            list(expressions_of(claim))
        except ValueError as error:
            raise FormatError(f"{place}: {error}") from error
        for each in (claim.first, claim.then):
            _check_expression(system, each, place)
    _check_expression(system, system.rest, "$.rest")


def _check_expression(system: System, expression: Expression | None, place: str) -> None:
    if expression is None:
        return
    for each in _leaves(expression):
        machine = system.components.get(each.component)
        if machine is None:
            known = ", ".join(system.components)
            raise FormatError(f"{place}: no component {each.component!r}; there are: {known}")
        for state in each.states:
            if state not in machine.states:
                known = ", ".join(machine.states)
                raise FormatError(
                    f"{place}: {each.component} has no state {state!r}; it has: {known}"
                )


def _leaves(expression: Expression) -> Iterator[Expression]:
    if expression.operator == "at":
        yield expression
    for each in expression.operands:
        yield from _leaves(each)
