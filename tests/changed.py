"""Systems that are changed on purpose: twins, in which a property fails, and mutants of one row.

A mutant is noticed when a system can no longer be composed, or has another number of states or
steps, or another verdict. Rows are sampled in the short form of a test, and all tried in the long.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from bdevcheck.model.compose import CompositionError, System
from bdevcheck.model.explore import DEFAULT_MAX_STATES, Exploration, explore
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import decide

from .explored import build, built, claims_of, explored, failing, finding
from .findings import assert_is_a_run, decided

# --- twins ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unasked:
    """A component of which no step asks an event any more."""

    component: str
    event: str


Change = str | tuple[str, ...] | Machine | Unasked
"""What makes a twin: rows that lead elsewhere, as `redirected` takes them; texts: the steps whose
labels have one of them are gone; a machine in place of the component of its name; an event."""

Twins = dict[str, dict[str, Change]]
"""System -> property that fails in no version -> what makes it fail."""


def cases_of(twins: Twins) -> list[tuple[str, str]]:
    """Return the system and the property of each twin."""
    return [(system, claim) for system, changes in twins.items() for claim in changes]


def twin(system: str, variant: str, change: Change) -> System:
    """Build a changed system; it is an error when the change changes nothing."""
    original = built(system, variant)
    if isinstance(change, str):
        changed = build(system, variant, redirected(change))
    elif isinstance(change, Machine):
        changed = replace(original, components={**original.components, change.name: change})
    elif isinstance(change, Unasked):
        changed = _without_event(original, change)
    else:
        kept = (e for e in original.vectors if not any(text in e.label for text in change))
        changed = replace(original, vectors=tuple(kept))
    assert changed != original, change
    return changed


REMOVED = "-"


def redirected(rows: str) -> Machines:
    """Return the machines with rows changed: "machine trigger source dest", parted by commas.

    A row that is not there is added; one that leads to `REMOVED` is removed.
    """
    machines = LIFE_CYCLES
    for row in rows.split(", "):
        name, trigger, source, dest = row.split()
        to = None if dest == REMOVED else dest
        changed = redirect(getattr(machines, name), trigger, source, to)
        machines = replace(machines, **{name: changed})
    return machines


def _without_event(system: System, unasked: Unasked) -> System:
    part = (unasked.component, unasked.event)
    lighter = (
        replace(each, events=tuple(event for event in each.events if event != part))
        for each in system.vectors
    )
    return replace(system, vectors=tuple(each for each in lighter if each.events))


def assert_fails(system: System, claim: str, max_states: int = DEFAULT_MAX_STATES) -> None:
    """Assert that a property fails, and that what is shown is a run; the others do not matter."""
    (wanted,) = (each for each in system.properties if each.name == claim)
    found = decided(system, wanted, max_states)
    assert found.holds is False, claim
    if found.path is not None:
        assert_is_a_run(system, found.path)


def assert_each_has_a_twin(system: str, twins: Collection[str]) -> None:
    """Assert that exactly those properties that fail in no version have a twin."""
    names = {each.name for variant in VARIANTS for each in claims_of(system, variant)}
    odd = set(twins) ^ (names - failing(system))
    assert not odd, (system, odd)


# --- rows ----------------------------------------------------------------------------------------

Row = tuple[str, str, str]
"""Machine, trigger, source."""

Pattern = tuple[str, str, str]
"""Machine, triggers, sources: names parted by spaces, or a star for all of them."""


def rows_of(machines: Iterable[str], only: Mapping[str, str] | None = None) -> tuple[Row, ...]:
    """Return the rows of machines; of one named in `only`, those of the triggers there."""
    wanted = only or {}
    return tuple(
        (name, trigger, source)
        for name in machines
        for trigger, source, _ in MACHINES[name].rows
        if _has(wanted.get(name, "*"), trigger)
    )


def _has(names: str, name: str) -> bool:
    return names == "*" or name in names.split()


def rows_like(rows: Iterable[Row], patterns: Iterable[Pattern]) -> frozenset[Row]:
    """Return the rows that some pattern stands for."""
    wanted = tuple(patterns)
    return frozenset(
        row
        for row in rows
        if any(row[0] == name and _has(t, row[1]) and _has(s, row[2]) for name, t, s in wanted)
    )


def idle(rows: Collection[Row], patterns: Iterable[Pattern]) -> list[Pattern]:
    """Return the patterns that stand for no row."""
    return [each for each in patterns if not rows_like(rows, [each])]


def sampled(rows: Iterable[Row], survivors: Collection[Row], nth: int) -> list[Row]:
    """Return each nth of the rows that are not among the survivors."""
    return [row for row in rows if row not in survivors][::nth]


# --- mutants -------------------------------------------------------------------------------------

Place = tuple[str, str]
"""System, variant."""

Users = Mapping[str, tuple[Place, ...]]
"""Machine -> where its mutants are looked for, the most telling place first."""


def users(systems: Mapping[str, tuple[str, ...]], variants: tuple[str, ...]) -> Users:
    """Return where mutants are looked for: in each system in each variant."""
    return {
        machine: tuple((name, variant) for name in names for variant in variants)
        for machine, names in systems.items()
    }


def places_of(where: Users) -> list[Place]:
    return sorted({place for places in where.values() for place in places})


def is_noticed_in(place: Place, machines: Machines, glimpse: int) -> bool:
    """Tell whether a system shows that the machines are others.

    First its beginning, of `glimpse` states: the same order of search makes the same beginning.
    Then one state more than the original has: a mutant that reaches more is noticed by then.
    """
    try:
        system = build(*place, machines)
    except CompositionError:
        return True
    enough = len(explored(*place).states) + 1
    for bound in sorted({min(glimpse, enough), enough}):
        found = explore(system, max_states=bound)
        if counts_of(found) != _counts(place, bound):
            return True
    verdicts = {each.name: decide(found, each).holds for each in system.properties}
    return verdicts != {name: finding(*place, name).holds for name in verdicts}


@cache
def _counts(place: Place, bound: int) -> tuple[int, int, int]:
    whole = explored(*place)
    beginning = bound < len(whole.states)
    return counts_of(explore(whole.system, max_states=bound) if beginning else whole)


def counts_of(found: Exploration) -> tuple[int, int, int]:
    return len(found.states), len(found.edges), found.depth


def unnoticed(
    row: Row, places: tuple[Place, ...], glimpse: int, *, every: bool = False
) -> set[str]:
    """Return where a row may lead unnoticed: of `redirections_of`, and `REMOVED`."""
    dests = {REMOVED, *redirections_of(row, every=every)}
    return {dest for dest in dests if not _is_noticed((*row, dest), places, glimpse)}


def redirections_of(row: Row, *, every: bool = False) -> set[str]:
    """Return where mutants let a row lead: to the next state of its machine, or to every other."""
    machine, trigger, source = row
    states, dest = MACHINES[machine].states, MACHINES[machine].step(source, trigger)
    assert dest is not None, row
    after = states[(states.index(dest) + 1) % len(states)]
    return set(states if every else (after,)) - {dest}


@cache
def _is_noticed(row: tuple[str, str, str, str], places: tuple[Place, ...], glimpse: int) -> bool:
    machines = redirected(" ".join(row))
    return any(is_noticed_in(place, machines, glimpse) for place in places)
