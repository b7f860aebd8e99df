"""Watch `raid-consistency`: what is shown of a raid agrees with itself, and with the log.

Each reply that shows raids is one instant, and contradicts itself or not. With a log that misses
nothing a raid that is registered all through a call is online in its reply, and one that never was
is not (`raid_log`). A raid with all its members that is not registered may still be writing its
superblock: it is followed until it is online.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Disconnected,
    Ended,
    Event,
    Lost,
    Printed,
)
from bdevcheck.conformance.watch.listing import is_listing
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.raid import (
    Raid,
    Raids,
    category_of,
    lists_raids,
    raids_in,
    registered_raids_in,
)
from bdevcheck.conformance.watch.raid_log import RAID_FACTS, RaidLog, makes_raid
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, bdev_names, methods
from bdevcheck.model.machines.raid import EVERY, RAID, SHOWN
from bdevcheck.model.rule import RAID_CONSISTENCY
from bdevcheck.traces.record import Reply

RULE = RAID_CONSISTENCY.name

_TOLD: Kinds = frozenset({Answered})
_UP = frozenset(RAID.sources("is_online"))
_BUILDING = frozenset(RAID.sources("is_stuck"))

MAX_FULL = 1024
"""How many raids are followed that have all their members and are not online."""


def is_up(raid: Raid) -> bool:
    """Tell whether a raid is shown online."""
    return SHOWN[raid.state] <= _UP


def is_unfinished(raid: Raid) -> bool:
    """Tell whether a raid has all its members, and looks as one that is stuck does."""
    return raid.is_full and SHOWN[raid.state] >= _BUILDING


class RaidConsistency:
    """The watch: by name the raids that have all their members, and were not online yet."""

    hearing = Hearing(frozenset({Lost, Disconnected, Ended}), facts=RAID_FACTS)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.log = RaidLog(setting)
        self.full: dict[str, tuple[Call, Raid]] = {}

    def wants(self, method: Method | None) -> Kinds:
        """Want lists of raids and of bdevs, creates of raids, and deletes of them."""
        if method is None:
            return NOTHING
        if makes_raid(method):
            return frozenset({Asked, Answered})
        return _TOLD if lists_raids(method) or is_listing(method) or _ends(method) else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge each reply by itself, by the log, and by what came before."""
        if isinstance(event, Printed):
            return self.log.printed(event.line)
        if isinstance(event, Answered):
            return self._answered(event.call)
        if isinstance(event, Asked):
            self.log.asked(event.call)
        elif is_forgetting(event):
            self.log.forget()
            self.full.clear()
        elif isinstance(event, Ended):
            return self._ended()
        return ()

    def _answered(self, call: Call) -> Iterator[Outcome]:
        method, reply = call.method, call.reply
        if reply is None or method is None or call.ambiguous:
            return
        yield from self.log.passed(reply.at.wall_ns)
        if not call.succeeded:
            return
        if lists_raids(method):
            yield from self._shown(call, reply)
        elif is_listing(method):
            yield from self._listed(call, reply)
        elif _ends(method):
            for name in bdev_names(method, call.request.params, None):
                self.full.pop(name, None)

    # -- replies -------------------------------------------------------------------------------

    def _listed(self, call: Call, reply: Reply) -> Iterator[Outcome]:
        """Judge a list of bdevs: the raids in it are registered, and so they are online."""
        raids = registered_raids_in(call)
        for name, raid in raids.shown:
            if not is_up(raid):
                yield _down(call, reply, name, raid)
                return
        yield from _whole(call, reply, raids)
        for name, raid in raids.shown:
            yield from self._came_up(name, raid)

    def _shown(self, call: Call, reply: Reply) -> Iterator[Outcome]:
        raids = raids_in(call)
        category = category_of(call)
        strange = [each for each in raids.shown if category not in (EVERY, each[1].state)]
        if strange and category in SHOWN:
            yield _stranger(call, reply, *strange[0], category)
            return
        yield from _whole(call, reply, raids)
        self._follow(call, raids, category)
        for name, raid in raids.shown:
            if is_up(raid):
                yield from self._came_up(name, raid)
        if not raids.unread:
            self.log.shown(call, reply, raids, category)

    def _follow(self, call: Call, raids: Raids, category: str) -> None:
        """Remember the raids that have all members, and forget those that went without a trace."""
        shown = dict(raids.shown)
        if category == EVERY and not raids.unread:
            for name in [name for name in self.full if name not in shown]:
                del self.full[name]
        for name, raid in shown.items():
            before = self.full.get(name)
            if before is not None and (before[1].uuid != raid.uuid or not raid.is_full):
                del self.full[name]
            if is_unfinished(raid) and len(self.full) < MAX_FULL:
                self.full[name] = (call, raid)

    def _came_up(self, name: str, raid: Raid) -> Iterator[Outcome]:
        before = self.full.pop(name, None)
        if before is not None and before[1].uuid == raid.uuid:
            yield Kept(RULE)

    def _ended(self) -> Iterator[Outcome]:
        proven = set()
        for outcome in self.log.rest():
            if isinstance(outcome, Violation):
                proven.add(outcome.bdev)
            yield outcome
        for name, (call, _) in self.full.items():
            if name not in proven and name not in self.log.stuck:
                yield _unfinished(name, call)


def _ends(method: Method) -> bool:
    """Tell whether such a call deletes raids."""
    return any(method.name in row.deleted_by for row in methods().values() if makes_raid(row))


# -- one reply -------------------------------------------------------------------------------------


def _whole(call: Call, reply: Reply, raids: Raids) -> Iterator[Outcome]:
    """Judge whether the parts of one reply agree."""
    for name, raid in raids.shown:
        configured = sum(member.is_configured for member in raid.members)
        if (configured, len(raid.members)) != (raid.discovered, raid.slots):
            yield _miscounted(call, reply, name, raid)
            return
    shared = _shared_member(raids) if lists_raids(call.method) else None
    if shared is not None:
        yield _shared(call, reply, *shared)
    elif raids.unread:
        reason = f"{raids.unread} entries of the reply are no raids"
        remedy = "look at this reply: the recorder, or the target, has spoilt it"
        yield Doubt(RULE, "", call.request.method, reason, remedy, reply.at.place)
    elif raids.shown:
        yield Kept(RULE)


def _shared_member(raids: Raids) -> tuple[str, str, str] | None:
    """Return a base that two slots hold, and whose slots these are; None where none is."""
    holders: dict[str, str] = {}
    for name, raid in raids.shown:
        for member in raid.members:
            if member.is_configured and member.uuid is not None:
                if member.uuid in holders:
                    return member.uuid, holders[member.uuid], name
                holders[member.uuid] = name
    return None


def _violation(call: Call, reply: Reply, name: str, fault: str, proof: str) -> Violation:
    return broken(
        RAID_CONSISTENCY,
        [request_moment(call), reply_moment(reply)],
        bdev=name,
        method=call.request.method,
        fault=fault,
        proof=proof,
    )


def _down(call: Call, reply: Reply, name: str, raid: Raid) -> Violation:
    fault = f"{printable(cut(name))} is listed as a bdev, and says that it is {raid.state}"
    proof = "A raid is registered and goes online in one turn, and leaves the list in one too."
    return _violation(call, reply, name, fault, proof)


def _stranger(call: Call, reply: Reply, name: str, raid: Raid, category: str) -> Violation:
    fault = f"{printable(cut(name))} is {raid.state}, and is shown among those that are {category}"
    return _violation(call, reply, name, fault, "One reply shows one instant.")


def _miscounted(call: Call, reply: Reply, name: str, raid: Raid) -> Violation:
    configured = sum(member.is_configured for member in raid.members)
    fault = (
        f"{printable(cut(name))} says that {raid.discovered} of {raid.slots} members were "
        f"discovered, and shows {configured} of {len(raid.members)}"
    )
    return _violation(call, reply, name, fault, "One reply shows one instant.")


def _shared(call: Call, reply: Reply, base: str, one: str, other: str) -> Violation:
    held = printable(cut(base))
    fault = f"{held} is a member of {printable(cut(one))} and of {printable(cut(other))}"
    if one == other:
        fault = f"{held} is a member of {printable(cut(one))} twice"
    proof = "One reply shows one instant, and a raid claims its members for itself alone."
    return _violation(call, reply, other, fault, proof)


def _unfinished(name: str, call: Call) -> Doubt:
    reason = (
        f"{printable(cut(name))} had all its members and was not online when it was seen last; it "
        "may still be writing its superblock, or be stuck"
    )
    remedy = "ask bdev_raid_get_bdevs once more, later, and add the log, with the flag bdev_raid"
    place = call.reply.at.place if call.reply is not None else call.request.at.place
    return Doubt(RULE, name, call.request.method, reason, remedy, place)
