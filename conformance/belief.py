"""Belief sets: every state that some explanation of the trace could be in.

A *belief* maps each possible state of a stack's components to a `Note` of how it can have come
about. Hidden steps run between observations (`close`), an observation keeps the states that can
take it (`observe`). This is the subset construction over the synchronised product, with
components that come and go, and with notes that form a lattice, so that nothing about verdicts is
lost when two explanations meet in one state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bdevcheck.model.compose import Vector
from bdevcheck.model.machine import NO_STEP, Machine
from bdevcheck.traces.record import FactKind

Tag = tuple[str, str, int]
"""A rule broken, or an exception used: (rule or tag, bdev, number of the call)."""

State = tuple[int, ...]

MAX_STATES = 20_000
"""Bound on one belief; beyond it nothing more is concluded about the stack."""


COST_MARGIN = 19
"""Explanations that cost this much more than the cheapest are dropped: those with two faults more
that no known version has (`moves.FAULT_COST` each). So every obligation is doubted on its own, and
not in every combination with all the others, which would double the belief with each of them."""


class BudgetError(Exception):
    """The belief grew over `MAX_STATES`."""


class Note(NamedTuple):
    """What all explanations that end in one state have in common.

    `cost` is the least number of broken rules and unheard-of faults, `must` what every explanation
    breaks, `best` what every cheapest one breaks, `may` what some explanation breaks, `variants` a
    bit set of the version bundles that can take all the steps of some cheapest one.
    """

    cost: int
    must: frozenset[Tag]
    best: frozenset[Tag]
    may: frozenset[Tag]
    variants: int


@dataclass(frozen=True, slots=True)
class Move:
    """A vector as a step of a belief.

    `shows` is the log line that the step prints; without such a line it may be taken only where
    lines can be missing (not `covered`) and if it is `quiet` (something can cause it unseen), at
    `unseen_cost`.
    """

    vector: Vector
    shows: tuple[FactKind, str] | None = None
    quiet: bool = True
    forced: bool = False
    cost: int = 0
    unseen_cost: int = 0
    tags: frozenset[Tag] = frozenset()
    variants: int = -1


def join(left: Note, right: Note) -> Note:
    """Return what the explanations of both notes have in common."""
    if left.cost < right.cost:
        best, variants = left.best, left.variants
    elif right.cost < left.cost:
        best, variants = right.best, right.variants
    else:
        best, variants = left.best & right.best, left.variants | right.variants
    return Note(
        min(left.cost, right.cost),
        left.must & right.must,
        best,
        left.may | right.may,
        variants,
    )


def _extend(note: Note, move: Move) -> Note:
    if not (move.cost or move.tags) and move.variants == -1:
        return note
    return Note(
        note.cost + move.cost,
        note.must | move.tags,
        note.best | move.tags,
        note.may | move.tags,
        note.variants & move.variants,
    )


_Compiled = tuple[Move, tuple[tuple[int, tuple[int, ...]], ...]]
_Buckets = dict[int, dict[int, list[_Compiled]]]
"""Moves by the position of one participant, and by the states in which it takes part."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Moves compiled for one layout of a belief's components."""

    layout: int
    forced: _Buckets
    free: _Buckets


def _candidates(buckets: list[_Buckets]) -> Callable[[State], Iterator[_Compiled]]:
    """Return what yields the moves that a state should try, in a fixed order."""
    pivots = [(position, rows) for each in buckets for position, rows in sorted(each.items())]

    def candidates(state: State) -> Iterator[_Compiled]:
        for position, rows in pivots:
            yield from rows.get(state[position], ())

    return candidates


@dataclass(slots=True)
class Belief:
    """The belief about one stack.

    A state is `(lines used, state of each component)`: `lines` are the log lines about the stack,
    in order, of which the first `opened` may have been printed by now, and each printing step uses
    the next one. `forgone` are the tags of explanations that were dropped for their cost: what they
    break stays in doubt, so that no bound turns a doubt into a pass.
    """

    lines: list[tuple[FactKind, str]] = field(default_factory=list)
    opened: int = 0
    covered: bool = False
    components: dict[str, Machine] = field(default_factory=dict)
    layout: int = 0
    notes: dict[State, Note] = field(default_factory=dict)
    forgone: set[Tag] = field(default_factory=set)
    _position: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        nothing: frozenset[Tag] = frozenset()
        self.notes = {(0,): Note(0, nothing, nothing, nothing, -1)}

    def add(self, component: str, machine: Machine, states: Iterable[str]) -> None:
        """Add a component that may be in any of `states`."""
        numbers = [machine.states.index(state) for state in states]
        self.components[component] = machine
        self._position[component] = len(self.components)
        self.notes = {
            (*state, number): note for state, note in self.notes.items() for number in numbers
        }

    def drop(self, component: str) -> None:
        """Forget a component: states that differ only there become one."""
        at = self._position[component]
        self.layout += at < len(self.components)
        del self.components[component]
        self._position = {name: index for index, name in enumerate(self.components, 1)}
        merged: dict[State, Note] = {}
        for state, note in self.notes.items():
            _merge(merged, state[:at] + state[at + 1 :], note)
        self.notes = merged

    def states_of(self, component: str) -> frozenset[str]:
        """Return the states that the component may be in."""
        at = self._position[component]
        machine = self.components[component]
        return frozenset(machine.states[state[at]] for state in self.notes)

    def prepare(self, moves: Iterable[Move]) -> Prepared:
        """Compile moves for `close`; good until a component is dropped that is not the last."""
        moves = list(moves)
        return Prepared(
            self.layout,
            self._buckets(move for move in moves if move.forced),
            self._buckets(move for move in moves if not move.forced),
        )

    def close(self, *prepared: Prepared) -> None:
        """Let hidden steps run, as far as they can; a forced step leaves no state behind."""
        forced = _candidates([each.forced for each in prepared])
        free = _candidates([each.free for each in prepared])
        limit = min(note.cost for note in self.notes.values()) + COST_MARGIN
        closed: dict[State, Note] = {}
        passing: set[State] = set()
        queue = deque(self.notes.items())
        while queue:
            state, note = queue.popleft()
            if note.cost > limit:
                self.forgone |= note.may
                continue
            known = closed.get(state)
            if known is not None:
                note = join(known, note)
                if note == known:
                    continue
            closed[state] = note
            if len(closed) > MAX_STATES:
                raise BudgetError
            step = next(self._steps(state, note, forced(state)), None)
            if step is not None:
                passing.add(state)
                queue.append(step)
            else:
                queue.extend(self._steps(state, note, free(state)))
        for state in passing:
            del closed[state]
        self.notes = closed

    def observe(self, moves: Iterable[Move]) -> bool:
        """Keep what is left when one of `moves` is taken now; False (and no change) if nothing."""
        compiled = [self._compile(move) for move in moves]
        after: dict[State, Note] = {}
        for state, note in self.notes.items():
            for reached, noted in self._steps(state, note, compiled):
                _merge(after, reached, noted)
        if after:
            self.notes = after
        return bool(after)

    def offer(self, moves: Iterable[Move]) -> None:
        """Add the states that one of `moves` leads to, beside those that are there."""
        compiled = [self._compile(move) for move in moves]
        for state, note in list(self.notes.items()):
            for reached, noted in self._steps(state, note, compiled):
                _merge(self.notes, reached, noted)

    def keep(self, wanted: Callable[[State], bool]) -> bool:
        """Drop the states that are not wanted; False (and no change) if none would be left."""
        kept = {state: note for state, note in self.notes.items() if wanted(state)}
        if kept:
            self.notes = kept
        return bool(kept)

    def stop_doubting(self, tag: Tag) -> bool:
        """Take a tag out of what some explanation breaks; tell whether it was there."""
        doubted = False
        for state, note in self.notes.items():
            if tag in note.may:
                doubted = True
                self.notes[state] = note._replace(may=note.may - {tag})
        return doubted

    def settle(self, tags: frozenset[Tag]) -> None:
        """Take tags that every explanation has out of the notes: they are known now."""
        self.notes = {
            state: Note(
                note.cost, note.must - tags, note.best - tags, note.may - tags, note.variants
            )
            for state, note in self.notes.items()
        }

    def summary(self) -> Note:
        """Return what all explanations have in common."""
        notes = iter(self.notes.values())
        total = next(notes)
        for note in notes:
            total = join(total, note)
        return total

    def name_states(self) -> Iterator[Mapping[str, str]]:
        """Yield the possible states by name."""
        for state in self.notes:
            yield {
                name: machine.states[number]
                for (name, machine), number in zip(self.components.items(), state[1:], strict=True)
            }

    def _buckets(self, moves: Iterable[Move]) -> _Buckets:
        """Sort moves by the states of one participant, so that a state looks at few of them."""
        buckets: _Buckets = {}
        for move in moves:
            compiled = self._compile(move)
            position, column = min(compiled[1], key=lambda part: -part[1].count(NO_STEP))
            rows = buckets.setdefault(position, {})
            for number, after in enumerate(column):
                if after != NO_STEP:
                    rows.setdefault(number, []).append(compiled)
        return buckets

    def _compile(self, move: Move) -> _Compiled:
        parts = tuple(
            (self._position[component], self.components[component].columns[event])
            for component, event in move.vector.events
        )
        return move, parts

    def _steps(
        self, state: State, note: Note, moves: Iterable[_Compiled]
    ) -> Iterator[tuple[State, Note]]:
        for move, parts in moves:
            changed = list(state)
            for position, column in parts:
                after = column[state[position]]
                if after == NO_STEP:
                    break
                changed[position] = after
            else:
                noted = _extend(note, move)
                if move.shows is not None and self._next_line(state) == move.shows:
                    yield (state[0] + 1, *changed[1:]), noted
                if move.shows is None or (move.quiet and not self.covered):
                    if move.shows is not None and move.unseen_cost:
                        noted = noted._replace(cost=noted.cost + move.unseen_cost)
                    yield tuple(changed), noted

    def _next_line(self, state: State) -> tuple[FactKind, str] | None:
        return self.lines[state[0]] if state[0] < self.opened else None


def _merge(notes: dict[State, Note], state: State, note: Note) -> None:
    known = notes.get(state)
    notes[state] = note if known is None else join(known, note)
