"""What every watch is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from bdevcheck.conformance.watch.event import Event
from bdevcheck.conformance.watch.outcome import Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.traces.record import FactKind

Kinds: TypeAlias = frozenset[type[Event]]
"""Kinds of events."""

NOTHING: Kinds = frozenset()


class Watch(Protocol):
    """One rule, or several that rest on the same evidence, followed along a trace.

    Memory is bounded by what is alive (bdevs, requests, connections), never by the trace's length.
    """

    def wants(self, method: Method | None) -> bool | Kinds:
        """Tell whether calls of a method concern it (None: methods that have no row).

        True: their requests, their replies, and that none can come; or just those kinds of events.
        It is asked once for each method.
        """
        ...

    def take(self, event: Event) -> Iterable[Outcome]:
        """Take one event, and say what it decides. Calls come only of methods that it wants."""
        ...


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a watch takes that is no call: kinds of events, and lines with certain facts.

    `kept` are rules that every reply keeps, whatever it says: they are counted, and the watch need
    not want replies for it.
    """

    kinds: Kinds = NOTHING
    facts: Collection[FactKind] = ()
    kept: tuple[str, ...] = ()


@runtime_checkable
class Choosy(Protocol):
    """A watch that says what it hears; to one that does not, all is told."""

    hearing: Hearing


Watcher: TypeAlias = Callable[[Setting], Watch]
"""What starts a watch over one trace."""
