"""Watch `removal-cascade`: a base is unlisted only when every bdev that claims it is gone.

The lines of one log are in order. So a base that is unlisted by a line before the line of a bdev
that stood on it breaks the rule, whoever asked for what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.moment import line_moment, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.event import Answered, Event, Printed
from bdevcheck.conformance.watch.holding import makes_holder
from bdevcheck.conformance.watch.listing import is_listing
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.registry import Registry, covers_lines
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.standing import Stand, Standings
from bdevcheck.model.catalogue import Method
from bdevcheck.model.rule import REMOVAL_CASCADE
from bdevcheck.traces.record import FactKind, LogLine

RULE = REMOVAL_CASCADE.name


class RemovalCascade:
    """The watch. It needs the log, and calls that tell what stands on what."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.registry = Registry()
        self.standings = Standings(setting, self.registry)
        self.gone: Counter[str] = Counter()

    def wants(self, method: Method | None) -> bool:
        """Want lists, and creates of bdevs that claim their base until they go."""
        if method is None or not self.setting.covered:
            return False
        return makes_holder(method) or is_listing(method)

    def take(self, event: Event) -> Iterator[Outcome]:
        """Judge the end of each base that something stood on."""
        if isinstance(event, Printed):
            yield from self._printed(event.line)
        elif is_forgetting(event):
            self.registry.forget()
            self.standings.forget()
            self.gone.clear()
        elif isinstance(event, Answered):
            call = event.call
            if call.method is None or call.ambiguous or not call.succeeded:
                return
            if is_listing(call.method):
                self.standings.listed(call)
            else:
                self.standings.created(call)

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        if fact is None:
            return
        if fact.kind is FactKind.REGISTERED:
            # Of a bdev of that name that was there before, the end was not seen.
            self.standings.leave(fact.name)
            self.gone.pop(fact.name, None)
        elif fact.kind is FactKind.UNLISTED:
            yield from self._unlisted(fact.name, line)
        self.registry.printed(line)

    def _unlisted(self, name: str, line: LogLine) -> Iterator[Outcome]:
        base = self.standings.base_of(name)
        if base is not None and base in self.registry.leaving:
            self.gone[base] += 1
        for _ in range(self.gone.pop(name, 0)):
            yield Kept(RULE)
        begun = self.registry.leaving.get(name)
        for stand in self.standings.leave(name):
            yield from self._left(stand, begun, line)

    def _left(self, stand: Stand, begun: LogLine | None, line: LogLine) -> Iterator[Outcome]:
        """Judge a bdev that is still there when the line of its base's end is printed."""
        if not covers_lines(self.setting, stand.below.at.wall_ns, line.at.wall_ns):
            yield _undecided(stand, line)
        elif begun is not None and self.setting.surely_before(stand.reply.at, begun.at):
            yield _left_behind(stand, begun, line)


# -- words -----------------------------------------------------------------------------------------


def _left_behind(stand: Stand, begun: LogLine, line: LogLine) -> Violation:
    shown = [
        request_moment(stand.call),
        line_moment(stand.line),
        reply_moment(stand.reply),
        line_moment(begun, key=False),
        line_moment(line),
    ]
    return broken(
        REMOVAL_CASCADE,
        sorted(shown, key=lambda moment: moment.wall_ns or 0),
        bdev=stand.base,
        method=stand.call.request.method,
        holder=printable(stand.name),
    )


def _undecided(stand: Stand, line: LogLine) -> Doubt:
    reason = (
        f"it was unlisted, and no line says that {printable(stand.name)}, which stood on it, was "
        "unlisted before; the log does not show all that came in between"
    )
    remedy = "keep the log flag bdev and the print level DEBUG on"
    return Doubt(RULE, stand.base, stand.call.request.method, reason, remedy, line.at.place)
