"""Judge one stack: run its belief along the trace, and say what became of each obligation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bdevcheck.conformance.belief import Belief, BudgetExceeded, Move, Note, Tag
from bdevcheck.conformance.moves import (
    EVERY_VARIANT,
    Thing,
    create_moves,
    delete_moves,
    examine_moves,
    joined,
    leave_moves,
    lookup_moves,
    name_component,
    name_moves,
    revive_moves,
    wait_moves,
)
from bdevcheck.conformance.schedule import Action, Kind
from bdevcheck.conformance.stack import Names, Stack, Subject
from bdevcheck.model.catalogue import has_superblock
from bdevcheck.model.contract import Clause
from bdevcheck.model.machines import Machines

MAX_DOUBTS = 64
"""How many of the latest promises of a stack are doubted with all their consequences."""


@dataclass(slots=True)
class Obligation:
    """One promise that one call put to the test, on one bdev ("" for all).

    `reply` says when it fell due. `certain` is the action that left no explanation without a
    violation, `states` what the machines were in when the reply was seen, `covered` whether the log
    would have shown a registration then.
    """

    rule: str
    bdev: str
    subject: Subject
    due: Action
    certain: Action | None = None
    states: dict[str, str] = field(default_factory=dict)
    covered: bool = False
    variants: int = 0
    doubtful: bool = False
    exempt: bool = False
    blamed: str = ""
    why_not: str = ""


@dataclass(slots=True)
class Judgement:
    """What one stack gave: its obligations, where explanation failed, and who can explain it."""

    obligations: list[Obligation]
    variants: int
    failed_at: Action | None = None
    expected: tuple[str, ...] = ()
    why_not: str = ""


def judge(
    stack: Stack, actions: Iterable[Action], names: Names, machines: Machines, *, fresh: bool
) -> Judgement:
    """Judge a stack along its actions, in order of time.

    `fresh`: the log shows the target's start, so that no bdev was there before the trace.
    """
    judging = _Judging(stack, names, machines, fresh)
    try:
        for action in actions:
            if not judging.take(action):
                return judging.give_up(action)
    except BudgetExceeded:
        return judging.give_up(None)
    return judging.finish()


@dataclass(slots=True)
class _Open:
    """A request under way that takes part in the belief."""

    subject: Subject
    rpc: str
    obligation: Obligation | None = None
    thing: Thing | None = None
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class _Judging:
    """The run along one stack's actions."""

    def __init__(self, stack: Stack, names: Names, machines: Machines, fresh: bool) -> None:
        self.stack, self.names, self.machines = stack, names, machines
        self.fresh = fresh
        self.by_hand = any(
            each.method.kind == "examine" and each.call.succeeded for each in stack.subjects
        )
        self.examined: set[str] = set()
        self.belief = Belief(EVERY_VARIANT)
        self.belief.lines = [(line.fact.kind, line.fact.name) for line in stack.lines if line.fact]
        self.things: list[Thing] = []
        self.open: dict[str, _Open] = {}
        self.of_call: dict[int, list[str]] = {}
        self.obligations: list[Obligation] = []
        self.known_names: dict[str, None] = {}
        self.moves: list[Move] | None = None
        self.is_closed = False
        self.by_call: dict[int, list[Obligation]] = {}
        self.suspects: list[Obligation] = []
        self.doubted: deque[Obligation] = deque()

    # -- one action ----------------------------------------------------------------------------

    def take(self, action: Action) -> bool:
        """Take one action; False where no explanation is left.

        Hidden steps run before what they could contradict: a reply, a line that must have been
        printed by now, and the moment from which lines are never missing. Other actions only make
        more steps possible.
        """
        if action.kind in (Kind.REPLY, Kind.LINE_MUST, Kind.COVERED):
            self._close()
        if not self._apply(action):
            return False
        self._note_certainties(action)
        self._forget_the_dead()
        return True

    def _apply(self, action: Action) -> bool:
        subject = action.subject
        if action.kind is Kind.REQUEST and subject is not None:
            self._request(subject, action)
        elif action.kind is Kind.REPLY and subject is not None:
            return self._reply(subject, action)
        elif action.kind is Kind.LINE_MAY:
            self._introduce([self.belief.lines[self.belief.opened][1]])
            self.belief.opened += 1
            self.is_closed = False
        elif action.kind is Kind.LINE_MUST:
            return self.belief.keep(lambda state: state[0] > action.number)
        else:
            self.belief.covered = action.kind is Kind.COVERED
            self.is_closed = self.is_closed and self.belief.covered
        return True

    def _close(self) -> None:
        if self.is_closed:
            return
        if self.moves is None:
            self.moves = list(self._all_moves())
        self.belief.close(self.moves)
        self.is_closed = True

    def _changed(self) -> None:
        """Remember that other steps may be possible from now on."""
        self.moves = None
        self.is_closed = False

    # -- requests ------------------------------------------------------------------------------

    def _request(self, subject: Subject, action: Action) -> None:
        self._introduce([*subject.bdevs, *subject.bases])
        match subject.method.kind:
            case "create":
                self._create(subject, action)
            case "delete":
                self._delete(subject, action)
            case "lookup" | "use":
                self._lookup(subject, action)
            case "wait":
                self._wait(subject, action)
            case "examine" | "adopt" if _has_effect(subject):
                self.examined |= set(subject.bases)
                self._open(subject, f"rpc {subject.call.number}")
            case "detach" | "shutdown":
                self._loosen(subject)
            case _:
                pass

    def _create(self, subject: Subject, action: Action) -> None:
        if not _has_effect(subject):
            return
        for number, name in enumerate(subject.bdevs):
            rpc = f"rpc {subject.call.number}.{number}"
            thing = self._thing(subject, name, rpc)
            self._forget_older(thing)
            self.belief.add(thing.object, self.machines.bdev, ["absent"])
            if thing.raid:
                self.belief.add(thing.raid, self.machines.raid, ["absent"])
            if thing.disk:
                self.belief.add(thing.disk, self.machines.disk, ["blank"])
            self.things.append(thing)
            self._open(
                subject,
                rpc,
                thing=thing,
                obligation=self._owe("create-after-register", name, subject, action),
            )

    def _thing(self, subject: Subject, name: str, rpc: str) -> Thing:
        call, method = subject.call, subject.method
        mark = f"{name}#{call.number}"
        raid = method.contract == "raid"
        keeps = raid and has_superblock(method, call.request.params)
        stored = self._bases_of_stores(subject.stores)
        return Thing(
            name=name,
            object=f"bdev {mark}",
            call=call.number,
            rpc=rpc,
            method=method,
            params=call.request.params,
            bases=(*subject.bases, *stored),
            raid=f"assembly {mark}" if raid else "",
            disk=f"disk {mark}" if keeps else "",
            volatile=method.volatile or (bool(subject.stores) and not stored),
        )

    def _bases_of_stores(self, stores: Sequence[str]) -> tuple[str, ...]:
        """Return the bases of lvstores made in this trace before."""
        return tuple(
            base
            for each in self.stack.subjects
            if each.method.kind == "use" and each.call.succeeded and set(each.stores) & set(stores)
            for base in each.bases
        )

    def _delete(self, subject: Subject, action: Action) -> None:
        if not _has_effect(subject):
            return
        if subject.method.reply == "at-initiation":
            self._loosen(subject)
            return
        for number, name in enumerate(subject.bdevs):
            owed = self._owe("delete-after-unregister", name, subject, action)
            self._open(subject, f"rpc {subject.call.number}.{number}", obligation=owed)

    def _lookup(self, subject: Subject, action: Action) -> None:
        reply = subject.call.reply
        if reply is None or subject.call.ambiguous:
            return
        asked = tuple(dict.fromkeys((*subject.bdevs, *subject.bases)))
        if subject.found is None and reply.error is None:
            present, missing = asked, ()
        elif subject.found is None and reply.error and reply.error.code in subject.method.missing:
            present, missing = (), asked
        elif subject.found is not None:
            present = missing = ()
        else:
            return
        owed = self._owe("lookup-consistency", "".join(asked[:1]), subject, action)
        rpc = f"rpc {subject.call.number}"
        self._open(subject, rpc, obligation=owed, present=present, missing=missing)

    def _wait(self, subject: Subject, action: Action) -> None:
        if subject.call.succeeded and not subject.call.ambiguous:
            owed = self._owe("wait-covers-examine", "", subject, action)
            if self._raids_with_metadata():
                self._open(subject, f"rpc {subject.call.number}", obligation=owed)

    def _loosen(self, subject: Subject) -> None:
        """Let bdevs vanish unseen from now on: those that the call may take away."""
        about = {*subject.bdevs, *subject.bases, *subject.stores}
        every = subject.method.kind == "shutdown"
        stored = {*self._bases_of_stores(subject.stores)}
        self.things = [
            replace(thing, volatile=True)
            if every or about & {thing.name, *thing.bases} or stored & {*thing.bases}
            else thing
            for thing in self.things
        ]
        self._changed()

    def _owe(self, rule: str, bdev: str, subject: Subject, action: Action) -> Obligation | None:
        if not subject.call.succeeded and rule != "lookup-consistency":
            return None
        if subject.call.ambiguous:
            why = "several requests with the same id were open, and the reply fits more than one"
            owed = Obligation(rule, bdev, subject, action, doubtful=True, why_not=why)
        else:
            owed = Obligation(rule, bdev, subject, action)
        self.obligations.append(owed)
        self.by_call.setdefault(subject.call.number, []).append(owed)
        self.doubted.append(owed)
        return owed

    def _open(
        self,
        subject: Subject,
        rpc: str,
        *,
        obligation: Obligation | None = None,
        thing: Thing | None = None,
        present: tuple[str, ...] = (),
        missing: tuple[str, ...] = (),
    ) -> None:
        self.belief.add(rpc, self.machines.rpc, ["received"])
        self.open[rpc] = _Open(subject, rpc, obligation, thing, present, missing)
        self.of_call.setdefault(subject.call.number, []).append(rpc)
        self._changed()

    def _introduce(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.known_names:
                self.known_names[name] = None
                states = ["free"] if self.fresh and self._logged(name) else ["free", "listed"]
                self.belief.add(name_component(name), self.machines.name, states)
                self._changed()

    def _logged(self, name: str) -> bool:
        return name in self.names.logged

    # -- replies -------------------------------------------------------------------------------

    def _reply(self, subject: Subject, action: Action) -> bool:
        if subject.call.ambiguous:
            return True
        if subject.found is not None:
            # A name that is found but was never spoken of was there all the time, or came unseen.
            self._introduce(sorted(subject.found & self.stack.names))
        for rpc in self.of_call.pop(subject.call.number, []):
            if not self._seen(self.open[rpc], action):
                return False
            del self.open[rpc]
            self.belief.drop(rpc)
            self._changed()
        return True

    def _seen(self, open_: _Open, action: Action) -> bool:
        pairs = list(self._reply_moves(open_))
        before = [move for move, clause in pairs if clause.reply]
        sends = [move for move, clause in pairs if clause.events.get("rpc") == "send_ok"]
        if open_.obligation is None:
            return True
        self.belief.offer(before)
        if not self.belief.observe(sends):
            return False
        open_.obligation.due = action
        open_.obligation.covered = self.belief.covered
        self._remember_guilt(open_.obligation, open_.thing)
        return True

    def _remember_guilt(self, owed: Obligation, thing: Thing | None) -> None:
        """Keep what the machines are in, and which versions do this, where the promise is broken."""
        tags = self._tags_of(owed)
        notes = self.belief.notes.values()
        costs = [note.cost for note in notes if not tags.isdisjoint(note.may)]
        if not costs:
            return
        guilty = [
            (state, note)
            for state, note in zip(self.belief.name_states(), notes, strict=True)
            if note.cost == min(costs) and not tags.isdisjoint(note.may)
        ]
        for _, note in guilty:
            owed.variants |= note.variants
        if thing is not None:
            parts = {"bdev": thing.object} | ({"raid": thing.raid} if thing.raid else {})
            owed.states = {
                role: " or ".join(sorted({state[part] for state, _ in guilty}))
                for role, part in parts.items()
            }

    def _tags_of(self, owed: Obligation) -> frozenset[Tag]:
        """Return the tags that say that this promise is broken."""
        raids = {raid.name for raid in self._raids_with_metadata()}
        bdevs = raids if owed.subject.method.kind == "wait" else {owed.bdev}
        return frozenset((owed.rule, bdev, owed.subject.call.number) for bdev in bdevs)

    # -- moves ---------------------------------------------------------------------------------

    def _all_moves(self) -> Iterator[Move]:
        raids = self._raids_with_metadata()
        yield from joined(self._own_moves(), raids, self._is_examined)
        for open_ in self.open.values():
            if open_.thing is None:
                yield from (m for m, c in self._reply_moves(open_) if _is_hidden(c))
        by_hand = ("examine", "adopt")
        examines = [o.rpc for o in self.open.values() if o.subject.method.kind in by_hand]
        if examines:
            for raid in raids:
                yield from examine_moves(examines, raid)

    def _own_moves(self) -> Iterator[Move]:
        last: dict[int, str] = {}
        for thing in self.things:
            is_open = thing.rpc in self.open
            conn = self.open[thing.rpc].subject.call.request.conn if is_open else -1
            moves = create_moves(thing, is_open, last.get(conn, ""))
            yield from (move for move, clause in moves if _is_hidden(clause))
            yield from leave_moves(thing)
            if thing.disk:
                yield from revive_moves(thing)
            if is_open:
                last[conn] = thing.rpc
        kept = {raid.name for raid in self._raids_with_metadata()}
        for name in self.known_names:
            objects = [thing.object for thing in self.things if thing.name == name]
            yield from name_moves(
                name, objects, taken_by_others=name not in kept, logged=self._logged(name)
            )

    def _reply_moves(self, open_: _Open) -> Iterator[tuple[Move, Clause]]:
        call = open_.subject.call.number
        if open_.thing is not None:
            return create_moves(open_.thing, True, "")
        if open_.subject.method.kind == "delete" and open_.obligation is not None:
            name = open_.obligation.bdev
            return delete_moves(open_.rpc, name, call, [t for t in self.things if t.name == name])
        if open_.subject.method.kind == "wait":
            raids = {raid.raid: raid.name for raid in self._raids_with_metadata()}
            return wait_moves(open_.rpc, call, raids)
        if open_.subject.method.kind in ("lookup", "use"):
            present, missing = self._looked_up(open_)
            about = (open_.obligation.bdev if open_.obligation else "", call)
            return lookup_moves(open_.rpc, "look-up", about, present, missing)
        return iter(())

    def _looked_up(self, open_: _Open) -> tuple[Sequence[str], Sequence[str]]:
        found = open_.subject.found
        if found is None:
            return open_.present, open_.missing
        names = [name for name in self.known_names if self._logged(name)]
        return [n for n in names if n in found], [n for n in names if n not in found]

    def _is_examined(self, base: str) -> bool:
        """Tell whether a base is examined when it registers: by itself, or because it was asked."""
        return not self.by_hand or base in self.examined

    def _raids_with_metadata(self) -> list[Thing]:
        return [thing for thing in self.things if thing.disk]

    # -- book-keeping --------------------------------------------------------------------------

    def _note_certainties(self, action: Action) -> None:
        """Keep when each promise came to be broken in every explanation that is worth believing.

        What all explanations share is settled for good. What only the cheapest share may be given
        back: a later record can make another explanation cheaper.
        """
        total = self.belief.summary()
        blamed = total.must | total.best
        for owed in [owed for owed in self.suspects if not _blamed(owed, blamed)]:
            owed.certain = None
            self.suspects.remove(owed)
        for tag in sorted(blamed):
            for owed in self.by_call.get(tag[2], ()):
                self._blame(owed, tag, action, settled=tag in total.must)
        if total.must:
            self.belief.settle(total.must)
        self._limit_doubts()

    def _blame(self, owed: Obligation, tag: Tag, action: Action, *, settled: bool) -> None:
        if not _is_about(tag, owed):
            return
        if tag[0] == "deferred":
            owed.exempt = owed.exempt or settled
        if tag[0] != owed.rule:
            return
        if owed.certain is None:
            owed.certain, owed.blamed = action, tag[1]
            self.suspects.append(owed)
        if settled and owed in self.suspects:
            self.suspects.remove(owed)

    def _limit_doubts(self) -> None:
        """Let go of old doubts: what may be broken then stays so, whatever comes later.

        That could miss that a doubt is dispelled by a record long after; it keeps the notes small.
        """
        while len(self.doubted) > MAX_DOUBTS:
            owed = self.doubted.popleft()
            found = [self.belief.stop_doubting(tag) for tag in self._tags_of(owed)]
            owed.doubtful = owed.doubtful or any(found)

    def _forget_the_dead(self) -> None:
        for thing in list(self.things):
            if thing.rpc in self.open or thing.disk:
                continue
            if self.belief.states_of(thing.object) <= {"gone", "failed"}:
                self._forget(thing)

    def _forget_older(self, thing: Thing) -> None:
        """Let a raid's new create take the place of one that is over, with its metadata."""
        for older in [each for each in self.things if each.name == thing.name and each.disk]:
            over = self.belief.states_of(older.object) <= {"gone", "failed", "absent"}
            if over and older.rpc not in self.open:
                self._forget(older)

    def _forget(self, thing: Thing) -> None:
        for component in (thing.object, thing.raid, thing.disk):
            if component:
                self.belief.drop(component)
        self.things.remove(thing)
        self._changed()

    # -- the end -------------------------------------------------------------------------------

    def finish(self) -> Judgement:
        """Close the books at the end of the trace."""
        total = self.belief.summary()
        for owed in self.obligations:
            self._conclude(owed, total)
        return Judgement(self.obligations, total.variants)

    def give_up(self, action: Action | None) -> Judgement:
        """Close the books where explanation ended: at an action, or over the budget (None)."""
        total = self.belief.summary() if self.belief.notes else None
        why = "the trace could not be explained up to here" if action else "too many possibilities"
        for owed in self.obligations:
            if total is not None:
                self._conclude(owed, total)
            if owed.certain is None and owed.due.kind is Kind.REQUEST:
                owed.doubtful, owed.why_not = True, why
        expected = tuple(sorted({m.vector.label for m in self.moves or []}))
        return Judgement(self.obligations, 0 if action else EVERY_VARIANT, action, expected, why)

    def _conclude(self, owed: Obligation, total: Note) -> None:
        if owed.certain is None and not owed.exempt:
            doubts = total.may | self.belief.forgone
            owed.doubtful = owed.doubtful or not self._tags_of(owed).isdisjoint(doubts)
            deferred = ("deferred", owed.bdev, owed.subject.call.number)
            owed.doubtful = owed.doubtful or deferred in doubts


def _blamed(owed: Obligation, tags: frozenset[Tag]) -> frozenset[Tag]:
    return frozenset(tag for tag in tags if tag[0] == owed.rule and _is_about(tag, owed))


def _is_about(tag: Tag, owed: Obligation) -> bool:
    same_bdev = owed.bdev in ("", tag[1])
    return tag[2] == owed.subject.call.number and same_bdev


def _is_hidden(clause: Clause) -> bool:
    return not clause.reply and clause.events.get("rpc") not in ("send_ok", "send_error")


def _has_effect(subject: Subject) -> bool:
    """Tell whether the call can have done something: it succeeded, or its outcome is unknown."""
    return subject.call.succeeded or subject.call.reply is None or subject.call.ambiguous
