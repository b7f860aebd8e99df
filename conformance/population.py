"""Population: the bdevs, requests and names of one stack that are alive in its belief."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

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
from bdevcheck.conformance.note import Tag
from bdevcheck.conformance.part import ROOT, Part
from bdevcheck.model.clause import Clause
from bdevcheck.model.machines import Machines


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under way that takes part in the belief; `rule` is what its reply must keep."""

    part: Part
    rpc: str
    slot: int
    bdev: str = ""
    rule: str = ""
    thing: str = ""
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Due(NamedTuple):
    """One promise that is not settled.

    `replied`: its reply was seen; `blamed`: it looks broken; `dear`: its reply could not be had
    without a fault or an interference that nobody has heard of.
    """

    replied: bool = False
    blamed: bool = False
    dear: bool = False


@dataclass(slots=True)
class Population:
    """What is alive in a stack's belief, and the steps that are possible with it.

    `known` are the names, and whether each is surely a name (an alias that nobody has resolved may
    look like one, and the log says nothing about it). `auto_examine`: bases are examined when they
    register. `fresh`: the log shows the target's start, so that no bdev was there before.
    """

    machines: Machines
    fresh: bool = False
    auto_examine: bool = True
    belief: Belief = field(default_factory=Belief)
    things: list[Thing] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    examined: set[str] = field(default_factory=set)
    owed: dict[Tag, Due] = field(default_factory=dict)
    _lives: Prepared | None = None
    _is_closed: bool = False

    def copy(self) -> Population:
        """Return a population that goes its own way from here."""
        return replace(
            self,
            belief=self.belief.copy(),
            things=list(self.things),
            asked=dict(self.asked),
            known=dict(self.known),
            examined=set(self.examined),
            owed=dict(self.owed),
        )

    def key(self) -> Hashable:
        """Return what tells this population from others: equal keys, equal futures."""
        return (
            self.belief.key(),
            tuple(self.things),
            tuple(self.asked.values()),
            tuple(self.known.items()),
            frozenset(self.examined),
            tuple(self.owed.items()),
            (self.fresh, self.auto_examine, self._is_closed),
        )

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

    def introduce(self, names: Iterable[str], *, named: bool) -> None:
        """Add names that are spoken of for the first time; `named`: they surely are names."""
        for name in names:
            before = self.known.get(name)
            if before is None:
                machine = self.machines.name
                taken = () if self.fresh and named else machine.sources("is_listed")
                self.belief.add(name_component(name), machine, [machine.initial, *taken])
            if before is None or (named and not before):
                self.known[name] = named
                self.changed()

    def free_slot(self) -> int:
        """Return the least number that no call alive here has."""
        used = self.used_slots()
        return next(number for number in range(len(used) + 1) if number not in used)

    def used_slots(self) -> set[int]:
        """Return the numbers of the calls that are alive here."""
        used = {asked.slot for asked in self.asked.values()}
        used |= {thing.call for thing in self.things}
        return used | {tag[2] for tag in self.owed}

    def ask(self, asked: Asked) -> None:
        """Add a request that the target has not handled yet."""
        machine = self.machines.rpc
        received = machine.step(machine.initial, "receive") or machine.initial
        self.belief.add(asked.rpc, machine, [received])
        self.asked[asked.rpc] = asked
        self._touched(asked)

    def answer(self, rpc: str) -> None:
        """Take away a request whose reply was seen."""
        asked = self.asked.pop(rpc)
        self.belief.drop(rpc)
        self.things = [replace(t, lane=0) if t.rpc == rpc else t for t in self.things]
        self._touched(asked)

    def _touched(self, asked: Asked) -> None:
        """Remember that requests have changed; only a create is part of a bdev's life."""
        if asked.thing:
            self.changed()
        self.reopened()

    def make(self, part: Part, slot: int, name: str, rpc: str) -> Thing:
        """Add a bdev that a create may make."""
        raid = part.method.contract == "raid"
        mark = f"{name}#{slot}"
        thing = Thing(
            name=name,
            bdev=f"bdev {mark}",
            call=slot,
            rpc=rpc,
            lane=part.lane,
            clauses=part.clauses,
            bases=part.bases,
            raid=f"assembly {mark}" if raid else "",
            disk=f"disk {mark}" if raid and part.superblock else "",
            volatile=part.volatile,
        )
        self._replace_older(thing)
        self.belief.add(thing.bdev, self.machines.bdev, [self.machines.bdev.initial])
        if thing.raid:
            self.belief.add(thing.raid, self.machines.raid, [self.machines.raid.initial])
        if thing.disk:
            self.belief.add(thing.disk, self.machines.disk, [self.machines.disk.initial])
        self.things.append(thing)
        return thing

    def loosen(self, names: Iterable[str] | None = None) -> None:
        """Let bdevs vanish unseen from now on: those of `names` and what is built on them, or all.

        A call may take them away, or the target may have ended.
        """
        about = None if names is None else set(names)
        self.things = [
            replace(thing, volatile=True)
            if about is None or about & {thing.name, *thing.bases}
            else thing
            for thing in self.things
        ]
        self.changed()

    def forget_the_dead(self) -> None:
        """Drop the bdevs that are over in every explanation."""
        for thing in list(self.things):
            if self._is_over(thing) and thing.rpc not in self.asked and not thing.disk:
                self._forget(thing)

    def strangers(self) -> list[str]:
        """Return the names that nothing alive here is about, or built on, any more."""
        needed = {ROOT, *(name for _, name in self.belief.lines)}
        for asked in self.asked.values():
            needed |= {asked.bdev, *asked.present, *asked.missing}
        while True:
            more = {b for t in self.things if t.name in needed for b in (t.name, *t.bases)}
            if more <= needed:
                return [name for name in self.known if name not in needed]
            needed |= more

    def forget_strangers(self) -> None:
        """Drop the names that nothing here is about, and their bdevs."""
        for name in self.strangers():
            for thing in [thing for thing in self.things if thing.name == name]:
                self._forget(thing)
            self.belief.drop(name_component(name))
            del self.known[name]
            self.examined.discard(name)
        self.changed()

    def _replace_older(self, thing: Thing) -> None:
        """Let a raid's new create take the place of one that is over, with its metadata."""
        for older in [each for each in self.things if each.name == thing.name and each.disk]:
            if self._is_over(older) and older.rpc not in self.asked:
                self._forget(older)

    def is_over_in(self, belief: Belief) -> bool:
        """Tell whether the bdev that this is about is over in every explanation of a belief."""
        over = {*self.machines.bdev.sources("is_over")}
        own = [thing for thing in self.things if thing.name == ROOT]
        return all(belief.states_of(thing.bdev) <= over for thing in own)

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

    def surely_listed(self) -> frozenset[str]:
        """Return the names that are listed in every explanation."""
        listed = {*self.machines.name.sources("is_listed")}
        return frozenset(
            name for name in self.known if self.belief.states_of(name_component(name)) <= listed
        )

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is alive here that a new stack would not know as well."""
        if self.things or self.asked or self.owed or self.belief.lines:
            return False
        states = self.belief.states_of(name_component(ROOT))
        return not self.fresh or states == {self.machines.name.initial}

    # -- moves ---------------------------------------------------------------------------------

    def reply_moves(self, asked: Asked) -> Iterator[tuple[Move, Clause]]:
        """Yield the steps of the handler of one request."""
        about = (asked.bdev, asked.slot)
        if asked.thing:
            thing = next(each for each in self.things if each.bdev == asked.thing)
            return create_moves(thing, True, "")
        match asked.part.method.kind:
            case "delete":
                things = [thing for thing in self.things if thing.name == asked.bdev]
                discards = asked.part.method.discards
                logged = self.known.get(asked.bdev, True)
                return delete_moves(asked.rpc, about, things, discards=discards, logged=logged)
            case "wait":
                raids = {raid.raid: raid.name for raid in self.raids_with_metadata()}
                return wait_moves(asked.rpc, asked.slot, raids)
            case "lookup" | "use":
                present, missing = self._looked_up(asked)
                return lookup_moves(asked.rpc, "look-up", about, present, missing)
        return iter(())

    def _life_moves(self) -> Iterator[Move]:
        return joined(self._own_moves(), self.raids_with_metadata(), self._is_examined)

    def _request_moves(self) -> Iterator[Move]:
        for asked in self.asked.values():
            if not asked.thing:
                yield from (move for move, clause in self.reply_moves(asked) if is_hidden(clause))
        by_hand = [o.rpc for o in self.asked.values() if is_by_hand(o.part)]
        for raid in self.raids_with_metadata() if by_hand else ():
            yield from examine_moves(by_hand, raid)

    def _own_moves(self) -> Iterator[Move]:
        """Yield what bdevs and names may do; creates of one connection are handled in order."""
        last: dict[int, str] = {}
        for thing in self.things:
            is_asked = thing.rpc in self.asked
            before = last.get(thing.lane, "") if is_asked else ""
            steps = create_moves(thing, is_asked, before)
            yield from (move for move, clause in steps if is_hidden(clause))
            yield from leave_moves(thing)
            if thing.disk:
                yield from revive_moves(thing)
            if is_asked:
                last[thing.lane] = thing.rpc
        for name, logged in self.known.items():
            things = [thing for thing in self.things if thing.name == name]
            yield from name_moves(name, things, self.asked, logged=logged)

    def _looked_up(self, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
        listed = asked.part.listed
        if listed is None:
            return asked.present, asked.missing
        names = [name for name, logged in self.known.items() if logged]
        return [n for n in names if n in listed], [n for n in names if n not in listed]

    def _is_examined(self, base: str) -> bool:
        """Tell whether a base is examined when it registers: by itself, or because it was asked."""
        return self.auto_examine or base in self.examined


def is_hidden(clause: Clause) -> bool:
    """Tell whether a step is seen by nobody: neither a reply, nor only made for one."""
    return not clause.reply and clause.events.get("rpc") not in ("send_ok", "send_error")


def is_by_hand(part: Part) -> bool:
    """Tell whether a call asks for examination."""
    return part.method.kind in ("examine", "adopt")
