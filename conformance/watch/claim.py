"""Watch `claim-exclusion`: a bdev that is claimed for one writer has no other claim.

A reply that lists bdevs is a snapshot: each listed bdev that stands on another holds it
(`model.holder`), and the claim machine says which claims go together. With a log that misses
nothing, a bdev that a create has put on a base holds that base until it is unlisted, and whoever
asks for the same base meanwhile must be refused. Without one, another client may have deleted the
first holder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import (
    answer_moment,
    line_moment,
    printable,
    reply_moment,
    request_moment,
)
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.dump import bases_in
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Disconnected,
    Ended,
    Event,
    Lost,
    Printed,
    SessionBegun,
    SessionEnded,
    Unanswered,
)
from bdevcheck.conformance.watch.holding import Grant, Holdings, makes_holder
from bdevcheck.conformance.watch.listing import (
    Entry,
    Listing,
    is_listing,
    tells_its_bdev,
)
from bdevcheck.conformance.watch.lull import ENDING, Lull, may_end
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, base_names, bdev_names
from bdevcheck.model.holder import Hold
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.rule import CLAIM_EXCLUSION
from bdevcheck.traces.record import FactKind, Reply

RULE = CLAIM_EXCLUSION.name

_ASKING = frozenset({"create", "adopt", "use", "hold"})
_OPENS = "write-open"
_TOLD: Kinds = frozenset({Answered})


class ClaimExclusion:
    """The watch.

    It remembers which bdevs are there since a call may have ended one, and who stands on them.
    """

    hearing = Hearing(
        frozenset({Disconnected, Lost, SessionBegun, SessionEnded, Ended}),
        facts=frozenset(FactKind),
    )

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.holdings = Holdings(setting)
        self.present: set[str] = set()
        self.standing: dict[str, Call] = {}
        self.is_idle = False
        self.lull = Lull()
        self.asking: set[str] = set()

    def wants(self, method: Method | None) -> Kinds:
        """Want what shows bdevs, opens them for writing, claims them or ends them."""
        if method is None:
            return NOTHING
        if asks(method):
            self.asking.add(method.name)
        if may_end(method):
            return ENDING
        return _TOLD if is_listing(method) or asks(method) or tells_its_bdev(method) else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge lists as they come, and claims when the log has passed their replies."""
        if isinstance(event, Answered):
            return self._answered(event)
        if isinstance(event, Asked | Unanswered):
            self._follow(event)
        elif isinstance(event, Printed):
            return () if self.is_idle else map(_twice, self.holdings.printed(event.line))
        elif isinstance(event, Disconnected):
            return map(_twice, self.holdings.passed(event.record.at))
        elif isinstance(event, SessionEnded | Lost):
            self.is_idle = isinstance(event, Lost) or event.is_idle
            self.holdings.forget()
            self._end_lull()
        elif isinstance(event, SessionBegun):
            self.is_idle = False
        elif isinstance(event, Ended):
            return map(_twice, self.holdings.end())
        return ()

    def _follow(self, event: Event) -> None:
        if self.lull.broken_by(event):
            self._end_lull()

    def _end_lull(self) -> None:
        self.present.clear()
        self.standing.clear()

    def _answered(self, event: Answered) -> Iterable[Outcome]:
        call = event.call
        method, reply = call.method, call.reply
        if method is None:
            return ()
        if may_end(method):
            self._follow(event)
        if reply is None or call.ambiguous or reply.error is not None:
            return ()
        if is_listing(method):
            listing = self.setting.lists.of(call)
            self._show([entry.name for entry in listing.entries])
            return _snapshot(call, reply, listing)
        found: list[Outcome] = []
        if method.name in self.asking:
            self.holdings.asked(call)
            found += self._against(call, method, reply)
        if tells_its_bdev(method):
            self._show(bdev_names(method, None, call.result))
        return found

    def _show(self, names: Iterable[str]) -> None:
        """Remember bdevs that a reply has shown to be there."""
        if self.lull.holds:
            self.present.update(names)

    def _against(self, call: Call, method: Method, reply: Reply) -> Iterator[Outcome]:
        """Doubt a second claim on a base that no call of this trace has freed.

        A create over a base that is not known to be there may be deferred, and hold nothing.
        """
        for base in base_names(method, call.request.params):
            first = self.standing.get(base)
            if first is not None:
                if not self._logged(first, reply):
                    yield _undecided(base, first, call, reply)
            elif makes_holder(method) and base in self.present:
                self.standing[base] = call

    def _logged(self, first: Call, reply: Reply) -> bool:
        return self.setting.covers(first.request.at.wall_ns, reply.at.wall_ns)


def asks(method: Method) -> bool:
    """Tell whether success means that the base was opened for writing, or claimed.

    Of methods with two bases, one may be held otherwise, and some share a base (OCF caches).
    """
    held = method.hold == _OPENS or method.hold in CLAIM.sources("is_claimed")
    return held and method.kind in _ASKING and len(method.bases) == 1


def _undecided(base: str, first: Call, call: Call, reply: Reply) -> Doubt:
    reason = (
        f"{first.request.method} had claimed {printable(base)} before, and no call of this trace "
        "has freed it since; another client may have"
    )
    remedy = "add the target's log, at level DEBUG with the flag bdev: it shows who goes"
    return Doubt(RULE, base, call.request.method, reason, remedy, reply.at.place)


def _twice(grant: Grant) -> Outcome:
    """Say that a claim was granted while another bdev held the base."""
    first, second = grant.holding, grant.call
    name, base = printable(first.name), printable(first.base)
    return broken(
        CLAIM_EXCLUSION,
        [
            request_moment(first.call),
            line_moment(first.line),
            answer_moment(first.call, first.reply, key=False),
            request_moment(second, key=True),
            reply_moment(grant.reply),
        ],
        bdev=first.base,
        method=second.request.method,
        fault=f"{second.request.method} was granted {base}, which {name} held by "
        f"{first.call.request.method}",
        proof=f"The log misses no line from the first request to the second reply: {name} and "
        f"{base} were registered all the while.",
    )


# -- snapshots -------------------------------------------------------------------------------------


class _Held(NamedTuple):
    """A claim that a listed bdev proves."""

    hold: Hold
    by: str


def _snapshot(call: Call, reply: Reply, listing: Listing) -> Iterable[Outcome]:
    """Judge one list: what its bdevs stand on is claimed by one of them, as it says."""
    claims = _claims_in(listing)
    if not claims:
        return ()
    found = [_contradiction(listing.by_key[base], list(on.values())) for base, on in claims.items()]
    faults = [each for each in found if each is not None]
    return [_broken_list(call, reply, bdev, fault) for bdev, fault in faults] or [Kept(RULE)]


def _claims_in(listing: Listing) -> dict[str, dict[str, _Held]]:
    """Return the claims that listed bdevs prove, by the name of the listed base and by holder."""
    if len(listing.entries) == 1 and not _holds_itself(listing.entries[0]):
        return {}
    claims: dict[str, dict[str, _Held]] = {}
    for entry in listing.entries:
        for hold in entry.holds:
            base = listing.by_key.get(hold.base)
            if base is not None:
                claims.setdefault(base.name, {}).setdefault(hold.who, _Held(hold, entry.name))
    return claims


def _holds_itself(entry: Entry) -> bool:
    """Tell whether a bdev may stand on itself, as it says: alone in a list, it has no other base.

    A slot's uuid is looked at in full.
    """
    for base in bases_in(entry.driver_specific):
        if not isinstance(base, str) or entry.has_key(base):
            return True
    return False


def _contradiction(base: Entry, held: list[_Held]) -> tuple[str, str] | None:
    """Return the base and what contradicts exclusion there, or None."""
    state = CLAIM.initial
    for number, each in enumerate(held):
        after = CLAIM.step(state, f"claim_{each.hold.holder.claim}")
        if after is None:
            pair = f"{_by(held[number - 1])} and {_by(each)}"
            return base.name, f"{printable(base.name)} is claimed by {pair} at once"
        state = after
    said = base.claim_type
    if said is not None and said in CLAIM.sources("is_claimed") and said != state:
        other = f"while {_by(held[0])} needs {state}"
        return base.name, f"{printable(base.name)} is claimed for {said}, {other}"
    return None


def _by(held: _Held) -> str:
    return f"{printable(held.by)} ({held.hold.holder.module})"


def _broken_list(call: Call, reply: Reply, bdev: str, fault: str) -> Violation:
    return broken(
        CLAIM_EXCLUSION,
        [request_moment(call), reply_moment(reply)],
        bdev=bdev,
        method=call.request.method,
        fault=f"in one list, {fault}",
        proof="One list shows one instant; a bdev that is listed holds its bases.",
    )
