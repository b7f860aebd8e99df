"""Raids by the log: which were registered all through a call, and which cannot be.

A line and a reply are ordered only beyond the tolerance, so what a reply shows is compared when
every line is known that may have come before it. Of a raid that was unregistered nothing is said
until it is registered again: on its way out the bdev layer unregisters raids that are still marked
online (LIFECYCLE 9.6, I8).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, line_moment, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Moment, Violation
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.raid import Raid, Raids
from bdevcheck.conformance.watch.registry import Registry, covers_lines
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, bdev_names
from bdevcheck.model.machines.raid import EVERY, RAID, SHOWN
from bdevcheck.model.rule import RAID_CONSISTENCY
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.record import FactKind, LogLine, Reply

RULE = RAID_CONSISTENCY.name

_FAILURES = frozenset({FactKind.SUPERBLOCK_WRITE_FAILED, FactKind.RAID_REGISTER_FAILED})
RAID_FACTS = (
    FactKind.REGISTERED,
    FactKind.UNREGISTERING,
    FactKind.UNLISTED,
    FactKind.CLAIMED,
    FactKind.RAID_REGISTERED,
    FactKind.RAID_DELETED,
    *sorted(_FAILURES),
)
"""The lines that are followed."""

MAX_NAMES = 4096
"""How many names are remembered that were registered; beyond it none counts as never seen."""
MAX_DELETED = 1024
"""How many deletes of raids are remembered by their lines."""

_UP = frozenset(RAID.sources("is_online"))
_STUCK = frozenset(RAID.sources("is_stuck"))


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one reply says of one raid (None: it is not there); `line` made it a bdev, if any."""

    name: str
    raid: Raid | None
    call: Call
    reply: Reply
    line: LogLine | None


class RaidLog:
    """What the log tells of raids, and the replies that wait for it to go on.

    `raids` has the line that says of each registered raid that it is one. `failed` are raids that
    could not be built, since the last time that any member was claimed; `claimed` is that line.
    `made` are the creates that may stand behind a raid, `ever` all names that were registered
    since the target's start, where that is known (`since_start`).
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.forget()
        self.since_start = setting.fresh

    def forget(self) -> None:
        """Forget all: the target may have ended, or records are missing."""
        self.registry = Registry()
        self.raids: dict[str, LogLine] = {}
        self.ever: set[str] = set()
        self.since_start = False
        self.failed: dict[str, LogLine] = {}
        self.claimed: LogLine | None = None
        self.made: dict[str, Call] = {}
        self.deleted: OrderedDict[str, LogLine] = OrderedDict()
        self.stuck: set[str] = set()
        self.waiting: deque[_Claim] = deque()

    # -- the wire ------------------------------------------------------------------------------

    def asked(self, call: Call) -> None:
        """Remember the create of a raid."""
        if call.method is None or not self.setting.covered:
            return
        for name in bdev_names(call.method, call.request.params, None):
            before = self.made.get(name)
            if before is None or not before.succeeded or name in self.deleted:
                self.made[name] = call

    def shown(self, call: Call, reply: Reply, raids: Raids, category: str) -> None:
        """Let what a list of raids says wait for the log."""
        start_ns = call.request.at.wall_ns
        if not self.setting.covers(start_ns, reply.at.wall_ns):
            return
        states = dict(raids.shown)
        for name, raid in states.items():
            self.waiting.append(_Claim(name, raid, call, reply, self.raids.get(name)))
        if category == EVERY:
            for name, line in self.raids.items():
                if name not in states:
                    self.waiting.append(_Claim(name, None, call, reply, line))

    def passed(self, now_ns: int | None) -> Iterator[Outcome]:
        """Judge what no line to come can explain any more."""
        while self.waiting and self._is_over(self.waiting[0].reply.at.wall_ns, now_ns):
            yield from self._judge(self.waiting.popleft())

    def rest(self) -> Iterator[Outcome]:
        """Judge all that waits: no line is to come."""
        while self.waiting:
            yield from self._judge(self.waiting.popleft())

    def _is_over(self, replied_ns: int | None, now_ns: int | None) -> bool:
        if replied_ns is None or now_ns is None:
            return False
        return replied_ns + self.setting.tolerance_ns < now_ns

    # -- the log -------------------------------------------------------------------------------

    def printed(self, line: LogLine) -> Iterator[Outcome]:
        """Follow one line."""
        yield from self.passed(line.at.wall_ns)
        fact = line.fact
        if fact is None:
            return
        name = fact.name
        if fact.kind in _FAILURES:
            self.failed[name] = line
        elif fact.kind is FactKind.CLAIMED:
            self.failed.clear()
            self.claimed = line
        elif fact.kind is FactKind.RAID_DELETED:
            self._delete(name, line)
        elif fact.kind is FactKind.RAID_REGISTERED:
            yield from self._raid_registered(name, line)
        else:
            self._bdev(fact.kind, name, line)

    def _delete(self, name: str, line: LogLine) -> None:
        self.failed.pop(name, None)
        self.stuck.discard(name)
        self.deleted[name] = line
        self.deleted.move_to_end(name)
        if len(self.deleted) > MAX_DELETED:
            self.deleted.popitem(last=False)

    def _bdev(self, kind: FactKind, name: str, line: LogLine) -> None:
        self.registry.printed(line)
        self.raids.pop(name, None)
        if kind is FactKind.REGISTERED and len(self.ever) < MAX_NAMES:
            self.ever.add(name)

    def _raid_registered(self, name: str, line: LogLine) -> Iterator[Outcome]:
        below = self.registry.lines.get(name)
        if below is not None and name not in self.registry.leaving:
            self.raids[name] = below
        failed = self.failed.pop(name, None)
        if failed is None or failed.fact is None or self.claimed is None:
            return
        if failed.fact.kind is FactKind.SUPERBLOCK_WRITE_FAILED and covers_lines(
            self.setting, self.claimed.at.wall_ns, line.at.wall_ns
        ):
            yield _unwritten(name, failed, line)

    # -- judging -------------------------------------------------------------------------------

    def _judge(self, claim: _Claim) -> Iterator[Outcome]:
        raid = claim.raid
        if raid is None or not SHOWN[raid.state] <= _UP:
            if self._stood(claim) and claim.line is not None:
                yield _not_shown(claim, claim.line)
            elif raid is not None and raid.is_full and SHOWN[raid.state] >= _STUCK:
                yield from self._unfinished(claim, raid)
        elif self._stood(claim):
            yield Kept(RULE)
        elif self._never_came(claim):
            yield _not_registered(claim)

    def _stood(self, claim: _Claim) -> bool:
        """Tell whether the raid was a bdev all through the call."""
        line = claim.line
        return (
            line is not None
            and self.raids.get(claim.name) is line
            and self.setting.surely_before(line.at, claim.call.request.at)
            and covers_lines(self.setting, line.at.wall_ns, claim.reply.at.wall_ns)
        )

    def _never_came(self, claim: _Claim) -> bool:
        """Tell whether no bdev of this name was registered since the target's start."""
        if not self.since_start or claim.name in self.ever or len(self.ever) >= MAX_NAMES:
            return False
        start_ns = self.setting.covered[0][0] + self.setting.tolerance_ns
        return self.setting.covers(start_ns, claim.reply.at.wall_ns)

    def _unfinished(self, claim: _Claim, raid: Raid) -> Iterator[Outcome]:
        """Judge a raid with all its members: whether its last try is over, and has failed."""
        failed, made = self.failed.get(claim.name), self.made.get(claim.name)
        if failed is None or made is None or claim.name in self.stuck:
            return
        if made.succeeded and not made.ambiguous and self._is_the_one(claim, failed, made):
            self.stuck.add(claim.name)
            yield _stuck(claim, raid, failed, made, self._known_in(made))

    def _known_in(self, made: Call) -> tuple[str, ...]:
        """Return the versions that leave such a raid behind.

        Who was answered before a member was claimed, waited for it: nobody is left to be told of
        the error, in no version.
        """
        reply, claimed = made.reply, self.claimed
        if reply is None or claimed is None or not self.setting.surely_before(reply.at, claimed.at):
            known = [each for each in VARIANTS.values() if each.raid_create_swallows_errors]
            return tuple(each.name for each in known)
        return tuple(VARIANTS)

    def _is_the_one(self, claim: _Claim, failed: LogLine, made: Call) -> bool:
        """Tell whether it is the failed raid that the reply shows, and nobody has tried again.

        The line of a claim proves that the flag bdev_raid was on, as long as nobody changes flags;
        another try would claim again.
        """
        covered = self.setting.covers(made.request.at.wall_ns, claim.reply.at.wall_ns)
        if self.claimed is None or not covered:
            return False
        deleted = self.deleted.get(claim.name)
        before = self.setting.surely_before
        return (
            before(made.request.at, self.claimed.at)
            and before(failed.at, claim.call.request.at)
            and (deleted is None or before(deleted.at, made.request.at))
        )


def makes_raid(method: Method) -> bool:
    """Tell whether such a create makes raids."""
    return method.kind == "create" and method.contract == "raid"


# -- words -----------------------------------------------------------------------------------------


def _said(claim: _Claim, moments: list[Moment], fault: str, proof: str) -> Violation:
    return broken(
        RAID_CONSISTENCY,
        [*moments, request_moment(claim.call), reply_moment(claim.reply)],
        bdev=claim.name,
        method=claim.call.request.method,
        fault=f"{printable(cut(claim.name))} {fault}",
        proof=proof,
    )


def _not_shown(claim: _Claim, line: LogLine) -> Violation:
    how = "is not shown at all" if claim.raid is None else f"is shown {claim.raid.state}"
    proof = "It was registered before the request, and nothing says that it began to leave."
    return _said(claim, [line_moment(line)], f"is a registered raid, and {how}", proof)


def _not_registered(claim: _Claim) -> Violation:
    proof = "The log misses no line from the target's start to the reply, and none registers it."
    return _said(claim, [], "is shown online, and was never registered", proof)


def _unwritten(name: str, failed: LogLine, line: LogLine) -> Violation:
    return broken(
        RAID_CONSISTENCY,
        [line_moment(failed), line_moment(line)],
        bdev=name,
        fault=f"{printable(cut(name))} was registered although its superblock was not written",
        proof="No member was claimed in between, so that nobody has tried to write it again.",
    )


def _stuck(
    claim: _Claim, raid: Raid, failed: LogLine, made: Call, known_in: tuple[str, ...]
) -> Violation:
    reply = made.reply
    shown = [
        request_moment(made),
        line_moment(failed),
        *([reply_moment(reply)] if reply is not None else []),
        request_moment(claim.call),
        reply_moment(claim.reply),
    ]
    return broken(
        RAID_CONSISTENCY,
        sorted(shown, key=lambda moment: moment.wall_ns or 0),
        bdev=claim.name,
        method=made.request.method,
        fault=f"{printable(cut(claim.name))} has all its members and stays {raid.state}",
        proof="Its create was answered with success, and no member was claimed since it failed: "
        "nobody tries again.",
        known_in=known_in,
    )
