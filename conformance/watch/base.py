"""What every watch is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from bdevcheck.conformance.watch.event import Event
from bdevcheck.conformance.watch.outcome import Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method


class Watch(Protocol):
    """One rule, or several that rest on the same evidence, followed along a trace.

    Memory is bounded by what is alive (bdevs, requests, connections), never by the trace's length.
    """

    def wants(self, method: Method | None) -> bool:
        """Tell whether calls of a method concern it (None: methods that have no row)."""
        ...

    def take(self, event: Event) -> Iterable[Outcome]:
        """Take one event, and say what it decides. Calls come only of methods that it wants."""
        ...


Watcher: TypeAlias = Callable[[Setting], Watch]
"""What starts a watch over one trace."""
