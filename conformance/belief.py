"""Belief sets: every state that some explanation of the trace could be in.

A *belief* maps each possible state of a stack's components to a `Note` of how it can have come
about. Hidden steps run between observations (`close`), an observation keeps the states that can
take it (`observe`). This is the subset construction over the synchronised product, with
components that come and go, and with notes that form a lattice, so that nothing about verdicts is
lost when two explanations meet in one state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bdevcheck.conformance.note import Note, Tag, join, told_together
from bdevcheck.model.compose import Vector
from bdevcheck.model.machine import NO_STEP, Machine
from bdevcheck.traces.record import FactKind

State = tuple[int, ...]

Line = tuple[FactKind, str]
"""What a line of the log says of a name."""

Whose = tuple[bool, bool]
"""Which of two beliefs has a line of the log."""

MAX_STATES = 20_000
"""Bound on one belief; beyond it nothing more is concluded about the stack."""


COST_MARGIN = 19
"""Explanations that cost this much more than the cheapest are dropped: those with two faults more
that no known version has (`moves.FAULT_COST` each). So every obligation is doubted on its own, and
not in every combination with all the others, which would double the belief with each of them."""


class BudgetError(Exception):
    """The belief grew over `MAX_STATES`."""


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

    A state is `(lines used, state of each component)`: `lines` are the log lines about the stack
    that may have been printed by now and need not have been, in order; each printing step uses the
    next one. `forgone` are the tags of explanations that were dropped for their cost: what they
    break stays in doubt, so that no bound turns a doubt into a pass.
    """

    lines: tuple[tuple[FactKind, str], ...] = ()
    covered: bool = False
    components: dict[str, Machine] = field(default_factory=dict)
    layout: int = 0
    notes: dict[State, Note] = field(default_factory=dict)
    forgone: set[Tag] = field(default_factory=set)
    _position: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.notes:
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

    def copy(self) -> Belief:
        """Return a belief that goes its own way from here."""
        return replace(
            self,
            components=dict(self.components),
            notes=dict(self.notes),
            forgone=set(self.forgone),
            _position=dict(self._position),
        )

    def key(self) -> Hashable:
        """Return what tells this belief from others: equal keys, equal futures."""
        return (
            tuple(self.components),
            frozenset(self.notes.items()),
            self.lines,
            self.covered,
            frozenset(self.forgone),
        )

    def absorb(self, other: Belief, names: Mapping[str, str], whose: Sequence[Whose]) -> bool:
        """Take in what is believed of other components; False (and no change) if nothing is left.

        `names` says what each component of `other` is called here (those without a name here are
        left out). `whose` says of each line of the two, in order, which of them have it.
        """
        taken = [(at, name) for at, name in enumerate(other.components, 1) if name in names]
        used = _prefixes(whose)
        joined: dict[State, Note] = {}
        for own, note in self.notes.items():
            for state, noted in other.notes.items():
                lines = used.get((own[0], state[0]))
                if lines is not None:
                    both = (lines, *own[1:], *(state[at] for at, _ in taken))
                    _merge(joined, both, told_together(note, noted))
        if not joined:
            return False
        for _, name in taken:
            self.components[names[name]] = other.components[name]
            self._position[names[name]] = len(self.components)
        self.lines = tuple(_woven(self.lines, other.lines, whose))
        self.notes = joined
        self.drop_dearer(COST_MARGIN)
        if len(self.notes) > MAX_STATES:
            raise BudgetError
        return True

    def expect(self, line: Line, later: int = 0) -> None:
        """Add a line that may have been printed by now, before the `later` last ones.

        A stack that takes in a base hears then what has waited there, older lines too. No
        explanation has used a line before one that was printed earlier; where all have, nothing
        more can be concluded: raises BudgetError.
        """
        at = len(self.lines) - later
        if later and not self.keep(lambda state: state[0] <= at):
            raise BudgetError
        self.lines = (*self.lines[:at], line, *self.lines[at:])

    def require_line(self) -> bool:
        """Keep the states that have used the first line, and forget it; False if there is none."""
        if not self.keep(lambda state: state[0] > 0):
            return False
        self.lines = self.lines[1:]
        self.notes = {(state[0] - 1, *state[1:]): note for state, note in self.notes.items()}
        return True

    def rebase(self) -> None:
        """Count costs from the cheapest explanation: only their differences matter."""
        least = min(note.cost for note in self.notes.values())
        if least:
            self.notes = {s: n._replace(cost=n.cost - least) for s, n in self.notes.items()}

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

    def settle(self, tags: frozenset[Tag]) -> None:
        """Take tags out of the notes: what they stand for is known now."""
        self.forgone -= tags
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
                if move.shows is None:
                    yield tuple(changed), noted
                elif move.quiet and not self.covered:
                    dear = move.unseen_cost
                    yield tuple(changed), noted._replace(cost=noted.cost + dear) if dear else noted

    def _next_line(self, state: State) -> tuple[FactKind, str] | None:
        return self.lines[state[0]] if state[0] < len(self.lines) else None

    def forget_tags(self) -> None:
        """Take all tags out: what they stand for is judged elsewhere, or settled."""
        self.forgone.clear()
        nothing: frozenset[Tag] = frozenset()
        self.notes = {
            state: note._replace(must=nothing, best=nothing, may=nothing)
            for state, note in self.notes.items()
        }

    def drop_dearer(self, margin: int) -> None:
        """Drop the explanations that cost more than the cheapest by more than `margin`."""
        limit = min(note.cost for note in self.notes.values()) + margin
        for note in self.notes.values():
            if note.cost > limit:
                self.forgone |= note.may
        self.notes = {state: note for state, note in self.notes.items() if note.cost <= limit}


def _prefixes(whose: Sequence[Whose]) -> dict[tuple[int, int], int]:
    """Return, for counts of lines used on both sides, how many that are when woven in order."""
    used = {(0, 0): 0}
    left = right = 0
    for count, (one, two) in enumerate(whose, 1):
        left, right = left + one, right + two
        used[left, right] = count
    return used


def _woven(left: Iterable[Line], right: Iterable[Line], whose: Sequence[Whose]) -> Iterator[Line]:
    """Yield the lines of both sides in order, those that both have once."""
    ours, theirs = iter(left), iter(right)
    for one, two in whose:
        line = next(ours) if one else None
        other = next(theirs) if two else None
        found = line if line is not None else other
        assert found is not None
        yield found


def _merge(notes: dict[State, Note], state: State, note: Note) -> None:
    known = notes.get(state)
    notes[state] = note if known is None else join(known, note)
