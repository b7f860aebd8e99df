"""Watch `result-names-registered`: a create's result names the bdevs that it registered.

Where the request says the name, the result must say the same: records of the wire decide that.
Otherwise a line of the log, or a look-up, shows that the named bdev was there; the result is wrong
if it never comes. That it comes in time is another rule's matter (create-after-register), and so is
a bdev with the name that was asked for, and that never comes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Ended,
    Event,
    LifeEnded,
    Printed,
    Unanswered,
)
from bdevcheck.conformance.watch.listing import is_listing, tells_its_bdev
from bdevcheck.conformance.watch.outcome import Exempt, Kept, Outcome
from bdevcheck.conformance.watch.registry import Registry, end_of_log
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, bdev_names, fill
from bdevcheck.model.catalogue.template import parameters_in
from bdevcheck.model.rule import RESULT_NAMES_REGISTERED
from bdevcheck.traces.record import FactKind, LogLine, Reply

RULE = RESULT_NAMES_REGISTERED.name

MAX_UNSEEN = 1024
"""How many names wait to be seen in a look-up; of older ones nothing is said."""

_NAMING = ("name", "names", "object")
_TOLD: Kinds = frozenset({Answered})


class ResultNames:
    """The watch: names that results told, and that no line or look-up has shown yet.

    `gone` are names that were registered and unlisted while creates were under way.
    """

    hearing = Hearing(frozenset({LifeEnded, Ended}), facts=frozenset(FactKind))

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.looks = len(setting.covered) != 1
        self.registry = Registry()
        self.under_way: set[int] = set()
        self.gone: set[str] = set()
        self.missing: dict[str, Call] = {}
        self.unseen: OrderedDict[str, None] = OrderedDict()

    def wants(self, method: Method | None) -> bool | Kinds:
        """Want creates that tell names, and look-ups where there is no log to show them."""
        if method is None:
            return False
        return names_bdevs(method) or (_TOLD if self.looks and is_listing(method) else NOTHING)

    def take(self, event: Event) -> Iterable[Outcome]:
        """Compare what results say with what was asked, and with what is there."""
        if isinstance(event, Printed):
            return self._printed(event.line)
        if isinstance(event, Answered):
            found = self._answered(event.call)
            self._over(event.call)
            return found
        if isinstance(event, Asked):
            self.under_way.add(event.call.number)
        elif isinstance(event, LifeEnded):
            return self._ended_life()
        elif isinstance(event, Ended):
            return self._close(ended=False)
        elif isinstance(event, Unanswered):
            self._over(event.call)
        return ()

    def _ended_life(self) -> Iterator[Outcome]:
        yield from self._close(ended=True)
        self._forget()

    def _over(self, call: Call) -> None:
        self.under_way.discard(call.number)
        if not self.under_way:
            self.gone.clear()

    def _forget(self) -> None:
        self.registry.forget()
        self.gone.clear()
        self.missing.clear()
        self.unseen.clear()

    # -- the wire ------------------------------------------------------------------------------

    def _answered(self, call: Call) -> Sequence[Outcome]:
        method, reply = call.method, call.reply
        if method is None or reply is None or call.ambiguous or reply.error is not None:
            return ()
        if is_listing(method):
            return tuple(self._listed(call)) if self.unseen else ()
        told = bdev_names(method, None, call.result)
        asked = asked_name(method, call.request.params)
        if not told:
            return tuple(_nameless(call, method, reply))
        if asked is not None and told != (asked,):
            return (_other(call, reply, asked, told),)
        return tuple(self._compare(call, method, reply, told))

    def _compare(
        self, call: Call, method: Method, reply: Reply, told: tuple[str, ...]
    ) -> Iterator[Outcome]:
        lines = self.registry.lines
        late = [name for name in told if name not in lines and name not in self.gone]
        if not late:
            yield Kept(RULE)
        elif not self.setting.covers(call.request.at.wall_ns, reply.at.wall_ns):
            self._wait_for_look_up(late)
        elif method.defers:
            yield Exempt(RULE)
        else:
            self.missing[late[0]] = call

    def _wait_for_look_up(self, names: Iterable[str]) -> None:
        for name in names:
            self.unseen[name] = None
            if len(self.unseen) > MAX_UNSEEN:
                self.unseen.popitem(last=False)

    def _listed(self, call: Call) -> Iterator[Outcome]:
        for entry in self.setting.lists.of(call).entries:
            if entry.name in self.unseen:
                del self.unseen[entry.name]
                yield Kept(RULE)

    # -- the log -------------------------------------------------------------------------------

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        if fact is None:
            return
        if fact.kind is FactKind.REGISTERED and fact.name in self.missing:
            del self.missing[fact.name]
            yield Kept(RULE)
        if fact.kind is FactKind.UNLISTED and self.under_way and fact.name in self.registry.lines:
            self.gone.add(fact.name)
        self.registry.printed(line)

    def _close(self, *, ended: bool) -> Iterator[Outcome]:
        """Judge the names that have not come: none can any more, or not in this run."""
        for name, call in self.missing.items():
            reply = call.reply
            if reply is None or call.method is None:
                continue
            if asked_name(call.method, call.request.params) is not None:
                continue  # the name is right: that it never came is create-after-register's matter
            certain = tells_its_bdev(call.method) and not call.method.alias
            if certain and not ended and self._shown(reply):
                yield _never(call, reply, name)
            else:
                yield _undecided(call, reply, name)

    def _shown(self, reply: Reply) -> bool:
        """Tell whether the log has every registration, from the target's start to its end."""
        covered, end_ns = self.setting.covered, end_of_log(self.setting)
        if not self.setting.fresh or end_ns is None or reply.at.wall_ns is None:
            return False
        start_ns = covered[0][0] + self.setting.tolerance_ns
        return reply.at.wall_ns <= end_ns and self.setting.covers(start_ns, end_ns)


def names_bdevs(method: Method) -> bool:
    """Tell whether a success reply of this create names bdevs."""
    return method.kind == "create" and method.result in _NAMING


def asked_name(method: Method, params: object) -> str | None:
    """Return the name that a request asks for word for word, if its bdev has no other."""
    if len(method.bdevs) != 1 or method.result == "names" or not _is_plain(method.bdevs[0]):
        return None
    return next(iter(fill(method.bdevs[0], params)), None)


@cache
def _is_plain(template: str) -> bool:
    """Tell whether a template of the catalogue is one parameter, and nothing else."""
    return [f"{{{name}}}" for name in parameters_in(template)] == [template]


# -- words -----------------------------------------------------------------------------------------


def _other(call: Call, reply: Reply, asked: str, told: tuple[str, ...]) -> Violation:
    return broken(
        RESULT_NAMES_REGISTERED,
        [request_moment(call, key=True), reply_moment(reply)],
        bdev=told[0],
        method=call.request.method,
        fault=f"named {cut(told[0])}, and was asked for {cut(asked)}",
        proof="A bdev of this kind has the name that the request gives it.",
    )


def _never(call: Call, reply: Reply, name: str) -> Violation:
    return broken(
        RESULT_NAMES_REGISTERED,
        [request_moment(call), reply_moment(reply)],
        bdev=name,
        method=call.request.method,
        fault=f"named {cut(name)}, which was never registered",
        proof="The log misses no line from the target's start to its end, and none registers "
        f"{printable(cut(name))}.",
    )


def _nameless(call: Call, method: Method, reply: Reply) -> Iterator[Outcome]:
    """Say of a result without a name whether that is right."""
    result = call.result
    if method.defers and (method.when_deferred is not None or result == []):
        yield Exempt(RULE)
    elif not (method.result == "names" and result == []):
        reason = f"its result is none that names a bdev: {cut(repr(result))}"
        remedy = "look at this reply: the recorder, or the target, has spoilt it"
        yield Doubt(RULE, "", call.request.method, reason, remedy, reply.at.place)


def _undecided(call: Call, reply: Reply, name: str) -> Doubt:
    reason = f"{cut(name)} was not registered as far as the log and the run go"
    remedy = "record from the target's start on, with the log flag bdev, until it is registered"
    if call.method is not None and call.method.alias:
        reason += "; a degraded volume is registered when its snapshot comes"
        remedy = "ask bdev_lvol_get_lvols whether the volume is degraded"
    return Doubt(RULE, name, call.request.method, reason, remedy, reply.at.place)
