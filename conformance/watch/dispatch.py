"""Dispatch: who takes which events, as tables that are built once.

A trace of a million records asks this a million times, and most events concern nobody: so there is
one look-up for each, and no event is made where nobody takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bdevcheck.conformance.watch.base import Choosy, Hearing, Kinds, Watch
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Ended,
    Event,
    Lost,
    Printed,
    Unanswered,
    Unreadable,
)
from bdevcheck.conformance.watch.outcome import Outcome
from bdevcheck.model.catalogue import Method
from bdevcheck.traces.record import FactKind

Take: TypeAlias = Callable[[Event], Iterable[Outcome]]

CALLS: Kinds = frozenset({Asked, Answered, Unanswered})
"""The events of calls."""

_ALL = Hearing(
    frozenset({Connected, Disconnected, Unreadable, Lost, Ended}), facts=frozenset(FactKind)
)
"""What is told to watches that do not choose."""


@dataclass(slots=True)
class Takers:
    """Who takes the events of one method's calls; `replies` counts those that were seen."""

    asked: tuple[Take, ...]
    answered: tuple[Take, ...]
    unanswered: tuple[Take, ...]
    replies: int = 0


class Dispatch:
    """The tables of some watches, in the order of the watches."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.watches = watches
        self.hearings = [_hearing_of(watch) for watch in watches]
        self.kept = tuple(rule for hearing in self.hearings for rule in hearing.kept)
        self.by_method: dict[str, Takers] = {}
        self.by_kind: dict[type[Event], tuple[Take, ...]] = {}
        self.by_fact = {kind: self._who_hears(kind) for kind in FactKind}

    def of_method(self, method: Method | None) -> Takers:
        """Return who takes the events of a method's calls."""
        name = method.name if method is not None else ""
        known = self.by_method.get(name)
        if known is None:
            known = self.by_method[name] = self._takers_of(method)
        return known

    def of(self, event: Event) -> tuple[Take, ...]:
        """Return who takes an event."""
        if isinstance(event, Printed):
            return self.by_fact[event.line.fact.kind] if event.line.fact is not None else ()
        if isinstance(event, Asked):
            return self.of_method(event.call.method).asked
        if isinstance(event, Answered):
            return self.of_method(event.call.method).answered
        if isinstance(event, Unanswered):
            return self.of_method(event.call.method).unanswered
        return self.of_kind(type(event))

    def of_kind(self, kind: type[Event]) -> tuple[Take, ...]:
        """Return who takes a kind of events that are neither of calls nor of the log."""
        known = self.by_kind.get(kind)
        if known is None:
            known = self.by_kind[kind] = tuple(
                watch.take
                for watch, hearing in zip(self.watches, self.hearings, strict=True)
                if kind in hearing.kinds
            )
        return known

    def _takers_of(self, method: Method | None) -> Takers:
        wanted = [(watch.take, _kinds_of(watch, method)) for watch in self.watches]
        asked, answered, unanswered = (
            tuple(take for take, kinds in wanted if kind in kinds)
            for kind in (Asked, Answered, Unanswered)
        )
        return Takers(asked, answered, unanswered)

    def _who_hears(self, fact: FactKind) -> tuple[Take, ...]:
        return tuple(
            watch.take
            for watch, hearing in zip(self.watches, self.hearings, strict=True)
            if fact in hearing.facts
        )


def _hearing_of(watch: Watch) -> Hearing:
    return watch.hearing if isinstance(watch, Choosy) else _ALL


def _kinds_of(watch: Watch, method: Method | None) -> Kinds:
    wanted = watch.wants(method)
    if isinstance(wanted, bool):
        return CALLS if wanted else frozenset()
    return wanted
