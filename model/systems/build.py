"""How systems are put together from contracts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bdevcheck.model.clause import Binding, Clause, bind
from bdevcheck.model.compose import Vector
from bdevcheck.model.variant import Variant


def vectors_of(
    clauses: Iterable[Clause],
    binding: Binding,
    label: str,
    variant: Variant,
    *,
    failures: bool = False,
) -> Iterator[Vector]:
    """Yield the vectors of the clauses that `variant` has, with their roles bound."""
    for clause in clauses:
        if clause.allowed_in(variant) and (failures or not clause.failure):
            yield from bind(clause, binding, label)


def merge(left: Vector, right: Vector) -> Vector | None:
    """Join two vectors into one step, or None where they want different events of a component."""
    events = dict(left.events)
    for component, event in right.events:
        if events.setdefault(component, event) != event:
            return None
    label = f"{left.label}, {right.label}"
    return replace(
        left,
        label=label,
        events=tuple(sorted(events.items())),
        breaks=left.breaks or right.breaks,
    )


def also(vectors: Iterable[Vector], when: Mapping[str, Mapping[str, str]]) -> Iterator[Vector]:
    """Add participants: `when` maps an event's name to the events that go with it.

    >>> from bdevcheck.model.compose import vector
    >>> seen = vector("seen", {"rpc": "send_ok"})
    >>> next(also([seen], {"send_ok": {"client": "answer"}})).events
    (('client', 'answer'), ('rpc', 'send_ok'))
    """
    for each in vectors:
        extra = {k: v for _, event in each.events for k, v in when.get(event, {}).items()}
        yield with_events(each, extra)


def with_events(each: Vector, extra: Mapping[str, str]) -> Vector:
    """Return the vector with more participants."""
    return replace(each, events=tuple(sorted({**dict(each.events), **extra}.items())))
