"""Taking in what another stack knows: a bdev's stack takes in those of its bases.

What is believed of both is put together state by state, so nothing that was uncertain about a base
gets lost. From then on every record about the base goes to both stacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bdevcheck.conformance.belief import Whose
from bdevcheck.conformance.moves import FAULT_COST, Thing, name_component
from bdevcheck.conformance.population import Asked, Population


@dataclass(frozen=True, slots=True)
class Weave:
    """How what is alive in another stack fits in between what is alive here.

    `names` says what each name of the other stack is called here, `lanes` what its connections are.
    `things` puts the bdevs of both in the order of their creates: pairs of whether one is from
    here, and its component. `whose` says of each log line that may have been printed, in order,
    which of the two stacks knows it.
    """

    names: tuple[tuple[str, str], ...]
    lanes: tuple[tuple[int, int], ...] = ()
    things: tuple[tuple[bool, str], ...] = ()
    whose: tuple[Whose, ...] = ()


def absorb(here: Population, there: Population, weave: Weave) -> dict[int, int] | None:
    """Take in what is alive in `there`, and return what its slots are called here.

    What is known here already of a name stays. None (and no change) where the log lines of both
    contradict each other.
    """
    names = dict(weave.names)
    new = {name for name, to in names.items() if to not in here.known}
    things = [thing for thing in there.things if thing.name in new]
    asked = [each for each in there.asked.values() if _comes_along(each, new)]
    slots = _slots(here, [*(t.call for t in things), *(each.slot for each in asked)])
    moved = _Moved(names, slots, dict(weave.lanes))
    here.close()
    closed = there.copy()
    closed.close()
    closed.belief.forget_tags()
    closed.belief.drop_dearer(FAULT_COST - 1)
    closed.belief.lines = tuple((kind, names[name]) for kind, name in closed.belief.lines)
    components = {name_component(name): name_component(names[name]) for name in sorted(new)}
    components |= moved.components_of(things)
    components |= {each.rpc: moved.rpc(each.rpc) for each in asked}
    if not here.belief.absorb(closed.belief, components, weave.whose):
        return None
    mine = {thing.bdev: thing for thing in here.things}
    taken_in = {thing.bdev: moved.thing(thing) for thing in things}
    ordered = [(mine if own else taken_in).get(bdev) for own, bdev in weave.things]
    here.things = [thing for thing in ordered if thing is not None]
    for each in asked:
        taken = moved.asked(each)
        here.asked[taken.rpc] = taken
    here.known |= {names[name]: named for name, named in there.known.items() if name in new}
    here.examined |= {names[name] for name in there.examined if name in new}
    here.changed()
    return slots


def _comes_along(asked: Asked, new: set[str]) -> bool:
    about = {asked.bdev, *asked.present, *asked.missing} - {""}
    return asked.part.listed is None and bool(about) and about <= new


def _slots(here: Population, calls: Iterable[int]) -> dict[int, int]:
    slots: dict[int, int] = {}
    used = here.used_slots()
    for call in calls:
        if call not in slots:
            slots[call] = next(n for n in range(len(used) + 1) if n not in used)
            used.add(slots[call])
    return slots


@dataclass(frozen=True, slots=True)
class _Moved:
    """What things and requests of another stack are called here."""

    names: Mapping[str, str]
    slots: Mapping[int, int]
    lanes: Mapping[int, int]

    def components_of(self, things: Iterable[Thing]) -> dict[str, str]:
        """Return what the components of things are called here."""
        found: dict[str, str] = {}
        for thing in things:
            moved = self.thing(thing)
            found |= {thing.bdev: moved.bdev, thing.raid: moved.raid, thing.disk: moved.disk}
        return {there: here for there, here in found.items() if there}

    def thing(self, thing: Thing) -> Thing:
        """Return a thing with its names and slots here."""
        slot = self.slots[thing.call]
        mark = f"{self.names[thing.name]}#{slot}"
        return replace(
            thing,
            name=self.names[thing.name],
            bdev=f"bdev {mark}",
            call=slot,
            rpc=self.rpc(thing.rpc),
            lane=self.lanes.get(thing.lane, 0),
            bases=tuple(self.names[base] for base in thing.bases if base in self.names),
            raid=f"assembly {mark}" if thing.raid else "",
            disk=f"disk {mark}" if thing.disk else "",
        )

    def asked(self, asked: Asked) -> Asked:
        """Return a request with its names and slots here; its promise is judged elsewhere."""
        slot = self.slots[asked.slot]
        name = self.names.get(asked.bdev, "")
        return replace(
            asked,
            part=replace(asked.part, lane=self.lanes.get(asked.part.lane, 0)),
            rpc=self.rpc(asked.rpc),
            slot=slot,
            bdev=name,
            rule="",
            thing=f"bdev {name}#{slot}" if asked.thing else "",
            present=tuple(self.names[each] for each in asked.present),
            missing=tuple(self.names[each] for each in asked.missing),
        )

    def rpc(self, rpc: str) -> str:
        """Return what a request's component is called here."""
        slot, number = rpc.removeprefix("rpc ").split(".")
        return f"rpc {self.slots[int(slot)]}.{number}"
