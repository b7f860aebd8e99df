"""Population: the bdevs, requests and names of one stack that are alive in its belief."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bdevcheck.conformance.belief import Belief, Move, Prepared
from bdevcheck.conformance.moves import (
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
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.stack import Names, Stack, Subject
from bdevcheck.model.catalogue import has_superblock
from bdevcheck.model.clause import Clause
from bdevcheck.model.machines import Machines

_BY_HAND = ("examine", "adopt")


@dataclass(slots=True)
class Asked:
    """A request under way that takes part in the belief."""

    subject: Subject
    rpc: str
    bdev: str = ""
    obligation: Obligation | None = None
    thing: Thing | None = None
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Population:
    """What is alive in a stack's belief, and the steps that are possible with it."""

    def __init__(self, stack: Stack, names: Names, machines: Machines, fresh: bool) -> None:
        self.stack, self.names, self.machines, self.fresh = stack, names, machines, fresh
        self.belief = Belief()
        self.belief.lines = [(line.fact.kind, line.fact.name) for line in stack.lines if line.fact]
        self.things: list[Thing] = []
        self.asked: dict[str, Asked] = {}
        self.known: dict[str, None] = {}
        self.examined: set[str] = set()
        self.auto_examine_is_off = any(
            each.method.kind == "examine" and each.call.succeeded for each in stack.subjects
        )
        self._lives: Prepared | None = None
        self._is_closed = False

    # -- hidden steps --------------------------------------------------------------------------

    def close(self) -> None:
        """Let hidden steps run, where anything has changed since they ran last."""
        if self._is_closed:
            return
        if self._lives is None or self._lives.layout != self.belief.layout:
            self._lives = self.belief.prepare(self._life_moves())
        self.belief.close(self._lives, self.belief.prepare(self._request_moves()))
        self._is_closed = True

    def moves(self) -> list[Move]:
        """Return the hidden steps that are possible with what is alive."""
        return [*self._life_moves(), *self._request_moves()]

    def changed(self) -> None:
        """Remember that the bdevs and names may take other steps from now on."""
        self._lives = None
        self._is_closed = False

    def reopened(self) -> None:
        """Remember that the same steps may lead further from now on."""
        self._is_closed = False

    # -- coming and going ----------------------------------------------------------------------

    def introduce(self, names: Iterable[str]) -> None:
        """Add names that are spoken of for the first time."""
        for name in names:
            if name not in self.known:
                self.known[name] = None
                machine = self.machines.name
                taken = () if self.fresh and self._is_logged(name) else machine.sources("is_listed")
                self.belief.add(name_component(name), machine, [machine.initial, *taken])
                self.changed()

    def ask(self, asked: Asked) -> None:
        """Add a request that the target has not handled yet."""
        machine = self.machines.rpc
        received = machine.step(machine.initial, "receive") or machine.initial
        self.belief.add(asked.rpc, machine, [received])
        self.asked[asked.rpc] = asked
        self._touched(asked)

    def ask_to_examine(self, bases: Iterable[str]) -> None:
        """Remember bases that are examined when they register, though auto-examine is off."""
        self.examined |= set(bases)
        self.changed()

    def answer(self, rpc: str) -> None:
        """Take away a request whose reply was seen."""
        asked = self.asked.pop(rpc)
        self.belief.drop(rpc)
        self._touched(asked)

    def _touched(self, asked: Asked) -> None:
        """Remember that requests have changed; only a create is part of a bdev's life."""
        if asked.thing is not None:
            self.changed()
        self.reopened()

    def make(self, subject: Subject, name: str, rpc: str) -> Thing:
        """Add a bdev that a create may make."""
        thing = self._thing(subject, name, rpc)
        self._replace_older(thing)
        self.belief.add(thing.bdev, self.machines.bdev, [self.machines.bdev.initial])
        if thing.raid:
            self.belief.add(thing.raid, self.machines.raid, [self.machines.raid.initial])
        if thing.disk:
            self.belief.add(thing.disk, self.machines.disk, [self.machines.disk.initial])
        self.things.append(thing)
        return thing

    def _thing(self, subject: Subject, name: str, rpc: str) -> Thing:
        call, method = subject.call, subject.method
        mark = f"{name}#{call.number}"
        raid = method.contract == "raid"
        stored = self.bases_of_stores(subject.stores)
        return Thing(
            name=name,
            bdev=f"bdev {mark}",
            call=call.number,
            rpc=rpc,
            method=method,
            params=call.request.params,
            bases=(*subject.bases, *stored),
            raid=f"assembly {mark}" if raid else "",
            disk=f"disk {mark}" if raid and has_superblock(method, call.request.params) else "",
            volatile=method.volatile or (bool(subject.stores) and not stored),
        )

    def bases_of_stores(self, stores: Sequence[str]) -> tuple[str, ...]:
        """Return the bases of lvstores made in this trace."""
        if not stores:
            return ()
        return tuple(
            base
            for each in self.stack.subjects
            if each.method.kind == "use" and each.call.succeeded and set(each.stores) & set(stores)
            for base in each.bases
        )

    def loosen(self, subject: Subject) -> None:
        """Let bdevs vanish unseen from now on: those that the call may take away."""
        about = {*subject.bdevs, *subject.bases, *self.bases_of_stores(subject.stores)}
        self._loosen(thing for thing in self.things if about & {thing.name, *thing.bases})

    def loosen_all(self) -> None:
        """Let every bdev vanish unseen from now on: the target may have ended."""
        self._loosen(self.things)

    def _loosen(self, things: Iterable[Thing]) -> None:
        names = {thing.bdev for thing in things}
        self.things = [
            replace(thing, volatile=True) if thing.bdev in names else thing for thing in self.things
        ]
        self.changed()

    def forget_the_dead(self) -> None:
        """Drop the bdevs that are over in every explanation."""
        for thing in list(self.things):
            if self._is_over(thing) and thing.rpc not in self.asked and not thing.disk:
                self._forget(thing)

    def _replace_older(self, thing: Thing) -> None:
        """Let a raid's new create take the place of one that is over, with its metadata."""
        for older in [each for each in self.things if each.name == thing.name and each.disk]:
            if self._is_over(older) and older.rpc not in self.asked:
                self._forget(older)

    def _is_over(self, thing: Thing) -> bool:
        return self.belief.states_of(thing.bdev) <= {*self.machines.bdev.sources("is_over")}

    def _forget(self, thing: Thing) -> None:
        for component in (thing.bdev, thing.raid, thing.disk):
            if component:
                self.belief.drop(component)
        self.things.remove(thing)
        self.changed()

    def raids_with_metadata(self) -> list[Thing]:
        """Return the raids that examination of their bases can find again."""
        return [thing for thing in self.things if thing.disk]

    # -- moves ---------------------------------------------------------------------------------

    def reply_moves(self, asked: Asked) -> Iterator[tuple[Move, Clause]]:
        """Yield the steps of the handler of one request."""
        method, call = asked.subject.method, asked.subject.call.number
        if asked.thing is not None:
            return create_moves(asked.thing, True, "")
        if method.kind == "delete":
            things = [thing for thing in self.things if thing.name == asked.bdev]
            return delete_moves(asked.rpc, asked.bdev, call, things, discards=method.discards)
        if method.kind == "wait":
            raids = {raid.raid: raid.name for raid in self.raids_with_metadata()}
            return wait_moves(asked.rpc, call, raids)
        if method.kind in ("lookup", "use"):
            present, missing = self._looked_up(asked)
            return lookup_moves(asked.rpc, "look-up", (asked.bdev, call), present, missing)
        return iter(())

    def _life_moves(self) -> Iterator[Move]:
        return joined(self._own_moves(), self.raids_with_metadata(), self._is_examined)

    def _request_moves(self) -> Iterator[Move]:
        for asked in self.asked.values():
            if asked.thing is None:
                yield from (move for move, clause in self.reply_moves(asked) if is_hidden(clause))
        by_hand = [o.rpc for o in self.asked.values() if o.subject.method.kind in _BY_HAND]
        for raid in self.raids_with_metadata() if by_hand else ():
            yield from examine_moves(by_hand, raid)

    def _own_moves(self) -> Iterator[Move]:
        """Yield what bdevs and names may do; creates of one connection are handled in order."""
        last: dict[int, str] = {}
        for thing in self.things:
            is_asked = thing.rpc in self.asked
            conn = self.asked[thing.rpc].subject.call.request.conn if is_asked else -1
            steps = create_moves(thing, is_asked, last.get(conn, ""))
            yield from (move for move, clause in steps if is_hidden(clause))
            yield from leave_moves(thing)
            if thing.disk:
                yield from revive_moves(thing)
            if is_asked:
                last[conn] = thing.rpc
        for name in self.known:
            things = [thing for thing in self.things if thing.name == name]
            yield from name_moves(name, things, self.asked, logged=self._is_logged(name))

    def _looked_up(self, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
        found = asked.subject.found
        if found is None:
            return asked.present, asked.missing
        names = [name for name in self.known if self._is_logged(name)]
        return [n for n in names if n in found], [n for n in names if n not in found]

    def _is_logged(self, name: str) -> bool:
        return name in self.names.logged

    def _is_examined(self, base: str) -> bool:
        """Tell whether a base is examined when it registers: by itself, or because it was asked."""
        return not self.auto_examine_is_off or base in self.examined


def is_hidden(clause: Clause) -> bool:
    """Tell whether a step is seen by nobody: neither a reply, nor only made for one."""
    return not clause.reply and clause.events.get("rpc") not in ("send_ok", "send_error")
