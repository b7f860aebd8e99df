"""Watch `rebuild-finishes`: a rebuild that is shown under way is over in the end.

`bdev_raid_get_bdevs` shows the process of a raid as long as it runs. A reply can show that it is
over, never that it will not be: without one there is a doubt, not a violation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.course import Course, States
from bdevcheck.conformance.watch.event import Answered, Disconnected, Ended, Event, Lost
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
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.machines.raid import EVERY
from bdevcheck.model.machines.rebuild import REBUILD
from bdevcheck.model.rule import REBUILD_FINISHES

RULE = REBUILD_FINISHES.name

MAX_RAIDS = 1024
"""How many rebuilds are followed at once."""

_COURSE = Course(REBUILD, [each for each in REBUILD.events if not REBUILD.is_test(each)])


class _Rebuild(NamedTuple):
    """A rebuild that was seen: of which raid, in which states it can be, shown last by what."""

    raid: Raid
    states: States
    call: Call


class RebuildFinishes:
    """The watch: by raid the rebuild that is under way."""

    hearing = Hearing(frozenset({Lost, Disconnected, Ended}))

    def __init__(self, setting: Setting) -> None:  # noqa: ARG002 (replies decide it)
        self.running: dict[str, _Rebuild] = {}

    def wants(self, method: Method | None) -> Kinds:
        """Want what shows raids."""
        return frozenset({Answered}) if lists_raids(method) or is_listing(method) else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Say of each rebuild when it is over."""
        if isinstance(event, Answered):
            return self._answered(event.call)
        if is_forgetting(event):
            self.running.clear()
        elif isinstance(event, Ended):
            return [_undecided(name, each) for name, each in self.running.items()]
        return ()

    def _answered(self, call: Call) -> Iterator[Outcome]:
        if call.ambiguous or not call.succeeded:
            return
        if lists_raids(call.method):
            yield from self._shown(call, raids_in(call), is_all=category_of(call) == EVERY)
        elif self.running:
            yield from self._shown(call, registered_raids_in(call), is_all=False)

    def _shown(self, call: Call, raids: Raids, *, is_all: bool) -> Iterator[Outcome]:
        shown = dict(raids.shown)
        if is_all and not raids.unread:
            # A raid stops its rebuild before it goes (LIFECYCLE 3.9).
            for name in [name for name in self.running if name not in shown]:
                del self.running[name]
                yield Kept(RULE)
        for name, raid in shown.items():
            yield from self._follow(name, raid, call)

    def _follow(self, name: str, raid: Raid, call: Call) -> Iterator[Outcome]:
        before = self.running.get(name)
        if before is not None and before.raid.uuid != raid.uuid:
            del self.running[name]  # another raid of this name: the first is gone
            before = None
            yield Kept(RULE)
        test = "is_idle" if raid.process is None else "is_under_way"
        states = _COURSE.after(before.states if before is not None else _COURSE.anywhere, test)
        if states <= frozenset(REBUILD.resting):
            if before is not None:
                del self.running[name]
                yield Kept(RULE)
        elif before is not None or len(self.running) < MAX_RAIDS:
            self.running[name] = _Rebuild(raid, states, call)


def _undecided(name: str, rebuild: _Rebuild) -> Doubt:
    call = rebuild.call
    reason = f"the rebuild of {printable(cut(name))} was under way when it was seen last"
    remedy = "ask bdev_raid_get_bdevs until it shows no process any more"
    place = call.reply.at.place if call.reply is not None else call.request.at.place
    return Doubt(RULE, name, call.request.method, reason, remedy, place)
