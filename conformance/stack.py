"""Stacks: bdevs that can influence each other, judged together; unrelated ones apart.

Two names belong to one stack when a call relates them: a create names its bases, an lvstore its
base, a volume its lvstore. Calls about no bdev in particular (bdev_wait_for_examine, a list of all
bdevs) concern every stack; each stack judges them for itself, which can only make the checker more
careful: a conjunction over stacks is asked of each of them at an instant of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import (
    Method,
    base_names,
    bdev_names,
    fill,
    has_superblock,
    is_followed,
)
from bdevcheck.traces.record import FactKind, LogLine

SHOWN_KINDS = (FactKind.REGISTERED, FactKind.UNREGISTERING, FactKind.UNLISTED)
"""The log lines that a step on a name prints."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one call is about, by canonical names.

    `bdevs` are the bdevs that it makes, deletes or looks for, `bases` what it builds on or uses,
    `found` the names that a look-up found (None: not a look-up of all), `stores` the lvstores.
    """

    call: Call
    method: Method
    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    found: frozenset[str] | None = None

    def names(self) -> list[str]:
        """Return all that the call names: it is about these, and about nothing else."""
        return [*self.bdevs, *self.bases, *self.stores]


@dataclass(slots=True)
class Stack:
    """The names of one stack, the calls about them in order, and the log lines about them by time.

    A line without a time is left out: it lies in a hole of the log, where no line proves anything.
    """

    names: set[str] = field(default_factory=set)
    subjects: list[Subject] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Names:
    """Which name an alias stands for, and which names the log knows.

    A name that never occurs as the name of a bdev (in a create, a reply or a log line) may be an
    alias that was never resolved: then the log says nothing about it (`logged`).
    """

    aliases: Mapping[str, str]
    logged: frozenset[str]

    def canonical(self, name: str) -> str:
        """Return the bdev's own name for a name or alias."""
        return self.aliases.get(name, name)


def stacks_of(subjects: Iterable[Subject], lines: Iterable[LogLine]) -> list[Stack]:
    """Split the calls about bdevs into stacks, in order of their first mention.

    The last one has no names: it takes the calls that are about no bdev in particular, so that
    they are judged where no stack is concerned.
    """
    subjects = list(subjects)
    related: nx.Graph[str] = nx.Graph()
    for subject in subjects:
        related.add_nodes_from(subject.names())
        nx.add_path(related, subject.names())
    stack_of: dict[str, Stack] = {}
    for names in nx.connected_components(related):
        stack = Stack(set(names))
        stack_of.update(dict.fromkeys(names, stack))
    every = list({id(stack): stack for stack in stack_of.values()}.values())
    lives = _lives(subjects, stack_of)
    at_large = Stack()
    for subject in subjects:
        for stack in _concerned(subject, stack_of, every, lives):
            stack.subjects.append(subject)
        if not subject.names() and subject.method.kind != "shutdown":
            at_large.subjects.append(subject)
    stamped = [line for line in lines if line.at.wall_ns is not None]
    for line in sorted(stamped, key=lambda line: line.at.wall_ns or 0):
        if line.fact is not None and line.fact.kind in SHOWN_KINDS:
            concerned = stack_of.get(line.fact.name)
            if concerned is not None:
                concerned.lines.append(line)
    return [*every, at_large]


@dataclass(slots=True)
class _Life:
    """Where a stack's own calls begin and end, and what they tell of it at the end."""

    first: int
    last: int = 0
    deleted: set[str] = field(default_factory=set)
    has_metadata: bool = False


def _lives(subjects: Iterable[Subject], stack_of: Mapping[str, Stack]) -> dict[int, _Life]:
    lives: dict[int, _Life] = {}
    for subject in subjects:
        names, number = subject.names(), subject.call.number
        if not names:
            continue
        life = lives.setdefault(id(stack_of[names[0]]), _Life(number))
        life.last = number
        life.has_metadata |= has_superblock(subject.method, subject.call.request.params)
        if subject.method.kind == "delete" and subject.call.succeeded:
            life.deleted |= {*subject.bdevs}
        else:
            life.deleted -= {*subject.bdevs}
    return lives


def _concerned(
    subject: Subject,
    stack_of: Mapping[str, Stack],
    every: Sequence[Stack],
    lives: Mapping[int, _Life],
) -> Iterable[Stack]:
    """Return the stacks that a call is about, or may say something about.

    A wait concerns those in which examination can assemble something; a list of all bdevs those
    that have begun, and that are not over with every bdev deleted and not found again.
    """
    if names := subject.names():
        return [stack_of[names[0]]]
    number, found = subject.call.number, subject.found
    if subject.method.kind == "shutdown":
        return every
    if subject.method.kind == "wait":
        return [stack for stack in every if lives[id(stack)].has_metadata]
    if found is None:
        return ()
    return [
        stack
        for stack in every
        if lives[id(stack)].first <= number
        and (
            number <= lives[id(stack)].last
            or not stack.names <= lives[id(stack)].deleted
            or not found.isdisjoint(stack.names)
        )
    ]


def subjects_of(calls: Iterable[Call], names: Names) -> Iterator[Subject]:
    """Yield what each catalogued call is about."""
    stores = _Stores()
    for call in calls:
        if call.method is not None and is_followed(call.method):
            yield _subject(call, call.method, names, stores)


def _subject(call: Call, method: Method, names: Names, stores: _Stores) -> Subject:
    params = call.request.params
    found = _found(call, method)
    about_none = found is not None or method.kind == "use"
    bdevs = () if about_none else bdev_names(method, params, call.result)
    return Subject(
        call,
        method,
        tuple(dict.fromkeys(names.canonical(name) for name in bdevs if "*" not in name)),
        tuple(dict.fromkeys(names.canonical(name) for name in _bases(method, params, bdevs))),
        stores.of(call, method, names),
        found,
    )


def _bases(method: Method, params: object, bdevs: Iterable[str]) -> Iterator[str]:
    yield from base_names(method, params)
    yield from (name[: name.index("*")].removesuffix("p") for name in bdevs if "*" in name)


def _found(call: Call, method: Method) -> frozenset[str] | None:
    """Return the names that a look-up of all bdevs found."""
    asked = bdev_names(method, call.request.params, None)
    if method.kind != "lookup" or asked or not isinstance(call.result, list):
        return None
    return frozenset(
        entry["name"]
        for entry in call.result
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    )


class _Stores:
    """Which lvstore a volume lives on: by name, by uuid, and by the volumes made so far."""

    def __init__(self) -> None:
        self._of_volume: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, str] = {}

    def of(self, call: Call, method: Method, names: Names) -> tuple[str, ...]:
        params, result = call.request.params, call.result
        found = [
            f"lvs:{self._names.get(name, name)}" for name in fill(method.store, params) if name
        ]
        if method.peer:
            peers = fill(f"{{{method.peer}}}", params)
            found += [s for peer in peers for s in self._of_volume.get(names.canonical(peer), ())]
        if method.kind == "use" and isinstance(result, str) and found:
            self._names[result] = found[0].removeprefix("lvs:")
        if method.kind == "create" and isinstance(result, str) and found:
            self._of_volume[result] = tuple(found)
        return tuple(found)


def names_of(calls: Sequence[Call], lines: Iterable[LogLine]) -> Names:
    """Collect aliases and known names over the whole trace.

    An alias that stood for two bdevs in turn, or that a rename touched, is not resolved.
    """
    seen: defaultdict[str, set[str]] = defaultdict(set)
    logged = {line.fact.name for line in lines if line.fact is not None}
    renamed: set[str] = set()
    for call in calls:
        if call.method is None or not is_followed(call.method):
            continue
        if call.method.kind == "rename":
            renamed |= set(base_names(call.method, call.request.params))
        for name, aliases in _named(call, call.method):
            logged.add(name)
            for alias in aliases:
                seen[alias].add(name)
    resolved = {
        alias: next(iter(names))
        for alias, names in seen.items()
        if len(names) == 1 and alias not in renamed
    }
    return Names(
        {alias: name for alias, name in resolved.items() if alias != name}, frozenset(logged)
    )


def _named(call: Call, method: Method) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield names of bdevs, each with its aliases, that a call and its reply show."""
    if method.kind == "create":
        for name in bdev_names(method, call.request.params, call.result):
            yield name, fill(method.alias, call.request.params) if method.alias else ()
    if method.kind == "lookup" and isinstance(call.result, list):
        for entry in call.result:
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                aliases = entry.get("aliases")
                listed = aliases if isinstance(aliases, list) else []
                yield entry["name"], [alias for alias in listed if isinstance(alias, str)]
