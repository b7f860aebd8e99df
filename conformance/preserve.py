"""Preserve a run as bytes, and restore it.

The bytes are a series of pickles that hold plain data alone. What a run is made of is of three
kinds. *Nodes* have a life of their own (a stack, a call, a watch): each has a number, and its
fields follow in a pickle of their own, so that cycles and long chains need no recursion. *Values*
(frozen data) are made anew from their fields. *Constants* of the model (a row of the catalogue, a
machine, a clause) are told by their names, so that there is still one of each.

Caches are left out: what they held is found again. So the size is that of what is alive.

Nothing is called on the way back but the classes of values and a few containers; no function, and
no class that is not listed here by its kind and module. A class cannot be changed either.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, Generic

import msgspec

from bdevcheck.conformance.books import Books
from bdevcheck.conformance.check import Run
from bdevcheck.conformance.part import Parts
from bdevcheck.conformance.population import Population
from bdevcheck.conformance.queues import Queues
from bdevcheck.conformance.situation import Automaton, Situation
from bdevcheck.conformance.stack import Stack
from bdevcheck.conformance.stacks import Stacks
from bdevcheck.conformance.subject import Subjects
from bdevcheck.conformance.watch.dispatch import Dispatch
from bdevcheck.conformance.watch.sound import Sound
from bdevcheck.conformance.watching import Watching
from bdevcheck.model.catalogue import rows_by_name

MODULES = ("bdevcheck.conformance", "bdevcheck.model", "bdevcheck.traces")
"""Where the classes of nodes and values are; those of the emulated target never belong to a run."""
_APART = ("bdevcheck.traces.target", "bdevcheck.conformance.stateful")
_CONTAINERS: Mapping[tuple[str, str], Callable[..., object]] = {
    (kind.__module__, kind.__name__): kind for kind in (OrderedDict, deque, defaultdict, list, dict)
}
"""Containers whose classes nobody can change."""
_MORE: Mapping[tuple[str, str], type] = {
    (kind.__module__, kind.__name__): kind for kind in (Counter, range, msgspec.Raw)
}
_STANDARD = frozenset({*_CONTAINERS.values(), *_MORE.values()})
_CACHES: Mapping[type, Mapping[str, Callable[[], object]]] = {
    Situation: {"steps": dict, "answers": dict},
    Automaton: {"_known": dict, "_starts": dict},
    Population: {"_lives": lambda: None},
    Parts: {"_known": dict},
    Stack: {"parts": dict},
    Subjects: {"_asked": dict},
    Sound: {"known": dict},
    Books: {"tell": lambda: None},
    Queues: {"take": lambda: None},
    Watching: {"dispatch": lambda: None, "_by_method": dict},
}
"""What is not preserved, and what stands in its place: it is found or made again."""
_CATALOGUE = rows_by_name.__module__
_DEEPER = 4
"""How much deeper than anything that was read the data may be nested when it is written."""


class PreserveError(ValueError):
    """Something in a run has no form as bytes, or bytes are no run; the text says what."""


def preserve(run: Run) -> bytes:
    """Return a run as bytes; it goes on as if nothing had happened.

    Raises PreserveError for a run with machines of its own, or data nested too deeply.
    """
    file = io.BytesIO()
    writer = _Writer(file)
    try:
        with _deeper():
            writer.dump((run, _replies_of(run)))
            while writer.written < len(writer.nodes):
                writer.dump(_fields_of(writer.nodes[writer.written]))
                writer.written += 1
    except (pickle.PicklingError, RecursionError, TypeError, AttributeError) as error:
        raise PreserveError(f"the run cannot be preserved: {error}") from error
    return file.getvalue()


def restore(data: bytes) -> Run:
    """Return the run that `preserve` has made bytes of; raises PreserveError for others."""
    file = io.BytesIO(data)
    reader = _Reader(file)
    try:
        run, replies = reader.load()
        for node in reader.nodes:  # it grows meanwhile
            _give(node, reader.load())
        if not isinstance(run, Run) or file.read(1):
            raise PreserveError("it holds no run, or more than one")
        _connect(run, replies)
    except Exception as error:  # whatever garbage leads to
        raise PreserveError(
            f"no run can be made of it: {str(error) or type(error).__name__}"
        ) from error
    return run


@contextmanager
def _deeper() -> Iterator[None]:
    """Allow what the decoders have allowed, for their values are written from deeper calls."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit * _DEEPER)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


# -- what is connected again -----------------------------------------------------------------------


def _replies_of(run: Run) -> dict[str, int]:
    """Return how many replies of each method were counted."""
    by_method = run.checker.watching.dispatch.by_method
    return {name: takers.replies for name, takers in by_method.items()}


def _connect(run: Run, replies: Mapping[str, int]) -> None:
    """Make again what refers to methods of nodes."""
    _settle_by(run.checker.stacks)
    watching = run.checker.watching
    watching.dispatch = Dispatch(watching.watches)
    watching._by_method = watching.dispatch.by_method
    rows = rows_by_name()
    for name, count in replies.items():
        watching.dispatch.of_method(rows[name] if name else None).replies = count


def _settle_by(stacks: Stacks) -> None:
    stacks._queues.take = stacks._settle


# -- fields ----------------------------------------------------------------------------------------


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Return the fields of a class of data."""
    if issubclass(kind, msgspec.Struct):
        return tuple(kind.__struct_fields__)
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()


def _fields_of(node: object) -> dict[str, object]:
    kind = _kind_of(node)
    names = _names(kind) or tuple(vars(node))
    left_out = _CACHES.get(kind, {})
    return {name: left_out[name]() if name in left_out else getattr(node, name) for name in names}


def _give(node: object, values: Mapping[str, object]) -> None:
    names = _names(_kind_of(node))
    if names and set(names) != values.keys():
        raise PreserveError(f"other fields than those of {type(node).__name__}")
    for name, value in values.items():
        setattr(node, name, value)


def _blank(kind: Any) -> object:
    if issubclass(kind, msgspec.Struct):
        return kind(*(None,) * len(_names(kind)))
    return object.__new__(kind)


# -- kinds of classes ------------------------------------------------------------------------------


@cache
def is_value(kind: Any) -> bool:
    """Tell whether objects of a class are made of their fields once and for all."""
    if issubclass(kind, Enum) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return True
    if issubclass(kind, msgspec.Struct):
        return bool(kind.__struct_config__.frozen)
    params = getattr(kind, "__dataclass_params__", None)
    return params is not None and params.frozen and all(each.init for each in fields(kind))


@cache
def is_node(kind: Any) -> bool:
    """Tell whether objects of a class change while the run goes on."""
    if issubclass(kind, msgspec.Struct):
        return not kind.__struct_config__.frozen
    params = getattr(kind, "__dataclass_params__", None)
    if params is not None:
        return not params.frozen
    return {*kind.__bases__} <= {object, Generic} and bool(kind.__dictoffset__)


def _kind_of(each: object) -> Any:
    return type(each)


def is_ours(module: str) -> bool:
    """Tell whether a module may hold classes of which a run is made."""
    inside = any(module == each or module.startswith(f"{each}.") for each in MODULES)
    return inside and not module.startswith(_APART)


def _class_of(module: str, name: str) -> Any:
    """Return a class that is loaded already; nothing is imported for a name in a file."""
    found = getattr(sys.modules.get(module), name, None) if is_ours(module) else None
    if not isinstance(found, type) or found.__module__ != module:
        raise pickle.UnpicklingError(f"{module}.{name} is no class of which a run is made")
    return found


# -- constants -------------------------------------------------------------------------------------


@cache
def _constants_of(module: str) -> Mapping[str, object]:
    """Return what one module of ours declares once, by name and place in tables."""
    if not is_ours(module):
        raise pickle.UnpicklingError(f"{module} declares nothing of which a run is made")
    found: dict[str, object] = {}
    for attribute, value in sorted(vars(import_module(module)).items()):
        found.update(_declared(attribute, value, depth=2))
    if module == _CATALOGUE:
        found |= {f"rows_by_name()[{name}]": row for name, row in rows_by_name().items()}
        found["rows_by_name()"] = rows_by_name()
    return found


def _declared(path: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    """Yield what a module declares: data, marks, and what tables hold."""
    if type(value) is object or type(value) is msgspec.Raw or _is_declared_data(type(value)):
        yield path, value
    elif depth and isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(key, str):
                yield from _declared(f"{path}[{key}]", each, depth - 1)
    elif depth and isinstance(value, tuple | list):
        for number, each in enumerate(value):
            yield from _declared(f"{path}[{number}]", each, depth - 1)


def _is_declared_data(kind: Any) -> bool:
    return is_ours(kind.__module__) and not is_node(kind) and is_dataclass(kind)


def _names_of_constants() -> Mapping[int, tuple[str, str]]:
    """Return module and name of each constant by its identity; the first where it has several."""
    return _names_in(tuple(sorted(name for name in sys.modules if is_ours(name))))


@lru_cache(maxsize=1)
def _names_in(modules: tuple[str, ...]) -> Mapping[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for module in modules:
        for name, value in _constants_of(module).items():
            found.setdefault(id(value), (module, name))
    return found


# -- writing and reading ---------------------------------------------------------------------------

_PLAIN = frozenset({int, str, bytes, bool, float, type(None), tuple, list, dict, set, frozenset})


class _Writer(pickle.Pickler):
    """Writes nodes as their numbers, constants as their names, and values as their fields."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.nodes: list[object] = []
        self.written = 0
        self.numbers: dict[int, int] = {}
        self.constants = _names_of_constants()

    def persistent_id(self, each: object) -> object:
        kind = _kind_of(each)
        if kind in _PLAIN:
            return None
        number = self.numbers.get(id(each))
        if number is None:
            name = self.constants.get(id(each))
            if name is not None:
                return name
            if not (is_ours(kind.__module__) and is_node(kind)):
                return None
            number = self.numbers[id(each)] = len(self.nodes)
            self.nodes.append(each)
        return number, kind.__module__, kind.__qualname__

    def reducer_override(self, each: Any) -> Any:
        kind = _kind_of(each)
        if isinstance(each, type):
            return NotImplemented
        if kind is msgspec.Raw:
            return msgspec.Raw, (bytes(each),)
        if kind in _STANDARD:
            return NotImplemented
        if is_ours(kind.__module__) and is_value(kind):
            return kind, tuple(_parts_of(each))
        raise pickle.PicklingError(f"{kind.__module__}.{kind.__qualname__} has no form as data")


def _parts_of(value: Any) -> Iterable[object]:
    if isinstance(value, Enum):
        return (value.value,)
    if isinstance(value, tuple):
        return value
    return [getattr(value, name) for name in _names(_kind_of(value))]


@dataclass(frozen=True, slots=True)
class _Make:
    """Makes values of one class; unlike the class itself, a pickle cannot change it."""

    kind: type

    def __call__(self, *parts: object) -> object:
        return self.kind(*parts)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("a class cannot be changed")


class _Reader(pickle.Unpickler):
    """Reads what `_Writer` writes, and nothing else."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.nodes: list[object] = []

    def persistent_load(self, pid: Any) -> object:
        *number_if_node, module, name = pid
        if not number_if_node:
            return _constants_of(module)[name]
        (number,) = number_if_node
        if number == len(self.nodes):
            kind = _class_of(module, name)
            if not is_node(kind):
                raise pickle.UnpicklingError(f"{name} is made of its fields")
            self.nodes.append(_blank(kind))
        return self.nodes[number]

    def find_class(self, module: str, name: str) -> Any:
        container = _CONTAINERS.get((module, name))
        if container is not None:
            return container
        kind = _MORE.get((module, name)) or _class_of(module, name)
        if (module, name) not in _MORE and not is_value(kind):
            raise pickle.UnpicklingError(f"{module}.{name} is no class of values")
        return _Make(kind)
