"""What a client sees of a step.

A client sees its own acts and the replies that reach it; what the target does inside is hidden.
This is derived, not listed: `model/machines/visible.py` says by which events messages pass between
client and target, and which machines are the client's own. A step is seen if a message passes in
it; its label names the message, and what the client's machines did with it. So the label is the
same whatever the target was at: ``rpc5: send_ok``, registered or not.

Silence can be seen too: `quiet` says in which states the target owes no step. That is quiescence
(J. Tretmans, *Test Generation with Inputs, Outputs and Repetitive Quiescence*, 1996), and the way
to see that a reply never comes. It is sound as far as weak fairness is: a target that owes a step
takes it in the end, and a client that waits longer than that sees the silence. A target that is
busy for ever without showing anything is never silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bdevcheck.model.compose import UNFAIR, System, Vector
from bdevcheck.model.explore import Exploration
from bdevcheck.model.machines.visible import ACTS, CLIENTS, NEWS, Seen

QUIET = "(quiet: nothing more comes)"
"""The observation that the target may stay silent until the client acts again."""


class ObservationError(ValueError):
    """A system shows nothing to a client; the text says what would be seen."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a client sees of one vector: `label` is empty where nothing is seen.

    `owed` is False for what may be put off for ever: the client's own acts, and unfair steps.
    """

    label: str = ""
    owed: bool = True


def observe(system: System) -> tuple[Sight, ...]:
    """Return what the client sees of each vector, in the system's order.

    A label names nothing that is only tested. Raises `ObservationError` for a system in which
    nothing can be seen. What a reply says beyond success or error is no part of the request's
    machine, and so not seen.
    """
    sights = tuple(_sight(system, each) for each in system.vectors)
    if not any(sight.label for sight in sights):
        found = ", ".join(system.components)
        raise ObservationError(
            f"{system.name}: a client sees nothing of it; components: {found}; "
            f"seen are machines of these kinds: {', '.join(sorted({*ACTS, *NEWS}))}"
        )
    return sights


def quiet(exploration: Exploration, sights: Sequence[Sight]) -> frozenset[int]:
    """Return the states in which no step is owed; `sights` are those of the system.

    Only states that were expanded: of the others it is not known what they can do.
    """
    busy = {source for source, vector, _ in exploration.edges if sights[vector].owed}
    return frozenset(range(exploration.expanded)) - busy


def _sight(system: System, each: Vector) -> Sight:
    own = list(_own(system, each))
    # Where it is not the client's choice, the target reads what the client has sent before.
    chosen = bool(own) or each.fair == UNFAIR
    acts = _words(system, each, ACTS) if chosen else []
    news = _words(system, each, NEWS)
    if not acts and not news:
        return Sight(owed=each.fair != UNFAIR)
    label = ", ".join(f"{part}: {word}" for part, word in sorted([*acts, *news, *own]))
    return Sight(label, owed=bool(news) and each.fair != UNFAIR)


def _words(system: System, each: Vector, seen: Seen) -> list[tuple[str, str]]:
    """Return the participants of which something is `seen`, with how it looks."""
    looks = ((part, seen.get(system.components[part].name, {}), e) for part, e in each.events)
    return [(part, look[event]) for part, look, event in looks if event in look]


def _own(system: System, each: Vector) -> Iterator[tuple[str, str]]:
    """Yield what the client's own machines do: it knows which call it makes."""
    for part, event in each.events:
        machine = system.components[part]
        if machine.name in CLIENTS and not machine.is_test(event):
            yield part, event
