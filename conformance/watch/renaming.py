"""Watch `rename`: a volume that was renamed is found by its new name, and not by the old one.

A rename takes one alias away and gives another, within one turn (LIFECYCLE 5.2). So a volume that
has both at once breaks the rule, whoever asked for what. Anything else that a later reply shows may
be another client's doing: it has renamed the volume again, or made another one of the old name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import Answered, Asked, Disconnected, Event, Lost
from bdevcheck.conformance.watch.listing import Entry, Listing, is_listing
from bdevcheck.conformance.watch.lull import is_forgetting, may_end
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, base_names
from bdevcheck.model.catalogue.template import value_of
from bdevcheck.model.rule import RENAME
from bdevcheck.traces.record import Reply

RULE = RENAME.name

MAX_RENAMED = 1024
"""How many renames wait to be seen; of older ones nothing is said."""

_SLASH = "/"


class _Renamed(NamedTuple):
    """A rename that was granted: `uuid` is the volume's name, empty where no reply has told it."""

    call: Call
    reply: Reply
    old: str
    new: str
    uuid: str


class Rename:
    """The watch. It remembers the last full list, and renames until a list shows the volume.

    `busy` are calls under way that may take or give a name. `uuids` has the volumes that renames
    under way are about.
    """

    hearing = Hearing(frozenset({Lost, Disconnected}))

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._start()

    def _start(self) -> None:
        self.latest: Listing | None = None
        self.busy: set[int] = set()
        self.uuids: dict[int, str] = {}
        self.waiting: list[_Renamed] = []

    def wants(self, method: Method | None) -> Kinds:
        """Want lists, renames, and what else may take or give the name of a volume."""
        if method is None:
            return NOTHING
        if may_end(method) or method.alias:
            return frozenset({Asked, Answered})
        return frozenset({Answered}) if is_listing(method) else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Follow each rename until a list shows the volume."""
        if isinstance(event, Asked):
            self._asked(event.call)
        elif isinstance(event, Answered):
            return self._answered(event.call)
        elif is_forgetting(event):
            self._start()
        return ()

    def _asked(self, call: Call) -> None:
        """Let a call begin that may take or give names: what waits is not comparable any more."""
        if call.method is None:
            return
        self.busy.add(call.number)
        self.waiting.clear()
        if call.method.kind == "rename":
            for old in base_names(call.method, call.request.params):
                self.uuids[call.number] = self._uuid_of(old)

    def _answered(self, call: Call) -> Iterable[Outcome]:
        method, reply = call.method, call.reply
        if method is None or reply is None:
            return ()
        if is_listing(method):
            shown = call.succeeded and not call.ambiguous
            return self._listed(call, reply) if shown else ()
        uuid = self.uuids.pop(call.number, "")
        if call.ambiguous:
            return ()
        self.busy.discard(call.number)
        if call.succeeded and method.kind == "rename" and not self.busy:
            self._granted(call, method, reply, uuid)
        if call.succeeded and method.kind != "create":
            self.latest = None
        return ()

    def _granted(self, call: Call, method: Method, reply: Reply, uuid: str) -> None:
        names = new_names(method, call.request.params)
        for old in base_names(method, call.request.params):
            store, _, _ = old.partition(_SLASH)
            for new in names if old.count(_SLASH) == 1 else ():
                self.waiting.append(_Renamed(call, reply, old, f"{store}{_SLASH}{new}", uuid))
        del self.waiting[:-MAX_RENAMED]

    def _uuid_of(self, alias: str) -> str:
        entry = self.latest.by_key.get(alias) if self.latest is not None else None
        return entry.name if entry is not None else ""

    # -- lists ---------------------------------------------------------------------------------

    def _listed(self, call: Call, reply: Reply) -> Iterable[Outcome]:
        listing = self.setting.lists.of(call)
        if listing.total > 1:
            self.latest = listing
        return self._settle(call, reply, listing) if self.waiting else ()

    def _settle(self, call: Call, reply: Reply, listing: Listing) -> Iterator[Outcome]:
        """Judge the renames that wait by a list that was asked for behind them."""
        left = []
        for each in self.waiting:
            if self.setting.surely_before(each.reply.at, call.request.at):
                entry = listing.by_key.get(each.new) or listing.by_key.get(each.uuid)
                entry = entry or listing.by_key.get(each.old)
                if entry is not None:
                    yield _judged(each, entry, call, reply)
                    continue
            left.append(each)
        self.waiting = left


def new_names(method: Method, params: object) -> list[str]:
    """Return the new name that a rename gives: what it requires besides the old one."""
    given = [value_of(params, each) for each in method.required if each not in method.bases]
    return [each for each in given if isinstance(each, str)]


def _judged(renamed: _Renamed, entry: Entry, call: Call, reply: Reply) -> Outcome:
    has_old = renamed.old in entry.keys and renamed.old != renamed.new
    has_new = renamed.new in entry.keys
    if has_new and has_old:
        return _both(renamed, entry, call, reply)
    if has_new and renamed.uuid in ("", entry.name):
        return Kept(RULE)
    found = "by its old name" if has_old else f"as {printable(cut(' '.join(entry.keys)))}"
    if has_new:
        found = f"as {printable(cut(entry.name))}, which is another volume"
    return _undecided(renamed, found, reply)


# -- words -----------------------------------------------------------------------------------------


def _both(renamed: _Renamed, entry: Entry, call: Call, reply: Reply) -> Violation:
    return broken(
        RENAME,
        [
            request_moment(renamed.call),
            reply_moment(renamed.reply),
            request_moment(call),
            reply_moment(reply),
        ],
        bdev=entry.name,
        method=renamed.call.request.method,
        old=printable(cut(renamed.old)),
        proof=f"It is found by its new name {printable(cut(renamed.new))} in the same list, and "
        "one list shows one instant: no client can give a volume a second alias.",
    )


def _undecided(renamed: _Renamed, found: str, reply: Reply) -> Doubt:
    reason = (
        f"{printable(cut(renamed.old))} was renamed to {printable(cut(renamed.new))}, and a later "
        f"list shows it {found}; another client may have renamed it again"
    )
    remedy = "record what all clients send, or repeat it with a target that has no other client"
    name = renamed.uuid
    return Doubt(RULE, name, renamed.call.request.method, reason, remedy, reply.at.place)
