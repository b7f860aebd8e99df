"""Watch `lvol-identity`: what a volume, and who has made it, say of it agrees.

The uuid of a volume and that of its lvstore are made once, and no call changes them: not another
client, nor a reload, nor another run of the target. A listed volume has exactly one alias. An alias
and a size may be changed by any client: where they are not those that were asked for, there is a
doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import (
    answer_moment,
    cut,
    list_text,
    printable,
    reply_moment,
    request_moment,
)
from bdevcheck.conformance.verdict import Doubt, Moment, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import Answered, Asked, Disconnected, Event, Lost
from bdevcheck.conformance.watch.listing import is_listing
from bdevcheck.conformance.watch.lull import is_forgetting, may_end
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.volume import (
    Volume,
    is_uuid,
    listed_volumes,
    lists_volumes,
    registered_volumes,
)
from bdevcheck.model.catalogue import Method, base_names, fill
from bdevcheck.model.rule import LVOL_IDENTITY
from bdevcheck.traces.record import Reply

RULE = LVOL_IDENTITY.name

MAX_VOLUMES = 4096
"""How many volumes are remembered; of older ones nothing is said."""

_SIZE = "size_in_mib"
_MIB = 2**20
_TOLD: Kinds = frozenset({Answered})
_ALL: Kinds = frozenset({Asked, Answered})

_KEPT = Kept(RULE)

T = TypeVar("T")


class _Wish(NamedTuple):
    """What a call has asked of a volume, and was granted; empty or 0 where nothing."""

    call: Call
    alias: str = ""
    size: int = 0


class _Known(NamedTuple):
    """A volume as it was shown last, and the reply that showed it in its lvstore first.

    Of that reply only what an explanation says of it is kept: lists are long, and there are many.
    `sound`: in a list of bdevs, and nothing contradicted itself there.
    """

    volume: Volume
    first: Moment
    sound: bool = False


class LvolIdentity:
    """The watch. By volume how it was shown last, and what was asked of it.

    `busy` are calls under way that may change an alias, or end a volume, `resizing` those that may
    change a size; `turns` counts the former. `open` has `turns` as it was when a create was asked.
    """

    hearing = Hearing(frozenset({Lost, Disconnected}))

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.known: OrderedDict[str, _Known] = OrderedDict()
        self.wishes: OrderedDict[str, _Wish] = OrderedDict()
        self._start()

    def _start(self) -> None:
        self.known.clear()
        self.wishes.clear()
        self.busy: set[int] = set()
        self.resizing: set[int] = set()
        self.open: dict[int, int] = {}
        self.turns = 0

    def wants(self, method: Method | None) -> Kinds:
        """Want lists, creates of volumes, and what may change or end one."""
        if method is None:
            return NOTHING
        if is_listing(method) or lists_volumes(method):
            return _TOLD
        return _ALL if may_end(method) or _resizes(method) or method.alias else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Compare what replies show with what is known of each volume."""
        if isinstance(event, Answered):
            return self._answered(event.call)
        if isinstance(event, Asked):
            self._asked(event.call)
        elif is_forgetting(event):
            self._start()
        return ()

    # -- calls ---------------------------------------------------------------------------------

    def _asked(self, call: Call) -> None:
        """Let a call begin; one that is never answered may go on for ever."""
        method = call.method
        if method is None:
            return
        if may_end(method):
            self.busy.add(call.number)
            self.turns += 1
            self.wishes.clear()
        elif _resizes(method):
            self.resizing.add(call.number)
            for name in self._meant(call, method):
                if name in self.wishes:
                    self.wishes[name] = self.wishes[name]._replace(size=0)
        else:
            self.open[call.number] = self.turns

    def _answered(self, call: Call) -> Iterable[Outcome]:
        method, reply = call.method, call.reply
        if method is None or reply is None:
            return ()
        if is_listing(method) or lists_volumes(method):
            return () if call.ambiguous else self._shown(call, reply, registered=is_listing(method))
        turns = self.open.pop(call.number, None)
        if call.ambiguous:
            return ()
        self.busy.discard(call.number)
        self.resizing.discard(call.number)
        if _resizes(method):
            return self._resized(call, reply, method)
        if call.succeeded and turns == self.turns and not self.busy:
            self._made(call, method)
        return ()

    def _made(self, call: Call, method: Method) -> None:
        """Remember what the volume that a create has made shall look like."""
        name = call.result
        if isinstance(name, str):
            alias = next(iter(fill(method.alias, call.request.params)), "")
            _remember(self.wishes, name, _Wish(call, alias, _asked_size(call)))

    def _resized(self, call: Call, reply: Reply, method: Method) -> Iterator[Outcome]:
        if self.busy or self.resizing:
            return
        for name in self._meant(call, method):
            known = self.known.get(name)
            if reply.error is None:
                alias = self.wishes[name].alias if name in self.wishes else ""
                _remember(self.wishes, name, _Wish(call, alias, _asked_size(call)))
            elif (
                known is not None
                and known.volume.size > _asked_size(call) > 0
                and _is_vague(method, reply)
            ):
                yield _shrunk(call, reply, known.volume)

    def _meant(self, call: Call, method: Method) -> list[str]:
        """Return the volume that a call names, by its uuid or its alias, if it is known."""
        found = []
        for given in base_names(method, call.request.params):
            wished = [name for name, wish in self.wishes.items() if given in (name, wish.alias)]
            shown = [
                name
                for name, known in self.known.items()
                if given == name or given in known.volume.aliases
            ]
            found += wished[-1:] or shown[-1:]
        return found

    # -- lists ---------------------------------------------------------------------------------

    def _shown(self, call: Call, reply: Reply, *, registered: bool) -> Iterator[Outcome]:
        seen: Moment | None = None
        for volume in registered_volumes(call) if registered else listed_volumes(call):
            before = self.known.get(volume.name)
            if before is not None and self._is_as_before(volume, before, registered=registered):
                self.known.move_to_end(volume.name)
                yield _KEPT
                continue
            fault = _fault_of(volume, registered=registered)
            moved = before is not None and before.volume.store != volume.store
            if fault:
                yield _contradiction(call, reply, volume, fault)
            elif before is not None and moved and is_uuid(volume.name):
                yield _moved(call, reply, volume, before)
            else:
                yield from self._compare(call, reply, volume)
            if before is None or moved:
                first = seen = seen or self._list_moment(call, reply, registered=registered)
            else:
                first = before.first
            size = volume.size or (before.volume.size if before is not None else 0)
            sound = registered and not fault
            _remember(self.known, volume.name, _Known(volume._replace(size=size), first, sound))

    def _list_moment(self, call: Call, reply: Reply, *, registered: bool) -> Moment:
        """Show a list, which need not be read once more for that."""
        if not registered:
            return answer_moment(call, reply, key=True)
        text = f"{call.request.method}: {list_text(self.setting.lists.of(call).total)}"
        return Moment(reply.at.place, "client", text, reply.at.wall_ns, True)

    def _is_as_before(self, volume: Volume, before: _Known, *, registered: bool) -> bool:
        """Tell whether a volume is as it was when nothing was wrong with it, and nothing asked."""
        same = registered and before.sound and before.volume == volume
        return same and volume.name not in self.wishes

    def _compare(self, call: Call, reply: Reply, volume: Volume) -> Iterator[Outcome]:
        """Judge a volume that was made by a call of this trace, once it is shown."""
        wish = self.wishes.get(volume.name)
        if wish is None or wish.call.reply is None:
            if volume.name in self.known:
                yield Kept(RULE)
            return
        if self.resizing or not self.setting.surely_before(wish.call.reply.at, call.request.at):
            return
        if wish.size and not volume.size:
            return  # a list of volumes does not tell sizes
        self.wishes[volume.name] = wish._replace(size=0)
        wrong = _unlike(wish, volume)
        yield _undecided(call, reply, volume, wrong) if wrong else Kept(RULE)
        if wrong:
            del self.wishes[volume.name]


def _remember(memory: OrderedDict[str, T], name: str, what: T) -> None:
    memory[name] = what
    memory.move_to_end(name)
    if len(memory) > MAX_VOLUMES:
        memory.popitem(last=False)


def _resizes(method: Method) -> bool:
    """Tell whether a call of this method changes the size of a volume that is there."""
    return _SIZE in method.parameters and not method.alias


def _asked_size(call: Call) -> int:
    """Return the size that a call asks for, in bytes, or 0."""
    params = call.request.params
    asked = params.get(_SIZE) if isinstance(params, dict) else None
    return asked * _MIB if type(asked) is int else 0


def _is_vague(method: Method, reply: Reply) -> bool:
    """Tell whether an error has several causes, one of which leaves the volume changed."""
    code = reply.error.code if reply.error is not None else 0
    return any(failure.code == code and failure.says for failure in method.errors)


def _fault_of(volume: Volume, *, registered: bool) -> str:
    """Say what of one entry contradicts itself, or nothing."""
    if volume.uuid and is_uuid(volume.name) and volume.uuid != volume.name:
        return f"its bdev is named {printable(cut(volume.name))}, and its uuid is {volume.uuid}"
    if registered and not any("/" in alias for alias in volume.aliases):
        return "it is listed, and has no alias lvstore/volume"
    if volume.claims and volume.aliases != (volume.claims,):
        return f"its alias is {volume.aliases[0]}, and it is {volume.claims}"
    return ""


def _unlike(wish: _Wish, volume: Volume) -> str:
    """Say how a volume differs from what was asked for, or nothing."""
    if wish.alias and wish.alias not in volume.aliases:
        return f"it was asked for as {wish.alias}, and has the alias {' '.join(volume.aliases)}"
    if volume.size and volume.size < wish.size:
        return f"it was asked for with {wish.size} bytes, and has {volume.size}"
    return ""


# -- words -----------------------------------------------------------------------------------------


def _say(
    call: Call, volume: Volume, moments: Iterable[Moment], fault: str, proof: str
) -> Violation:
    return broken(
        LVOL_IDENTITY,
        moments,
        bdev=volume.name,
        method=call.request.method,
        fault=f"{printable(cut(volume.name))}: {cut(fault)}",
        proof=proof,
    )


def _contradiction(call: Call, reply: Reply, volume: Volume, fault: str) -> Violation:
    shown = [request_moment(call), reply_moment(reply)]
    return _say(call, volume, shown, fault, "One entry of one reply shows one instant.")


def _moved(call: Call, reply: Reply, volume: Volume, before: _Known) -> Violation:
    shown = [before.first, answer_moment(call, reply, key=True)]
    fault = f"it was in the lvstore {before.volume.store}, and is in {volume.store}"
    proof = "A volume stays in its lvstore, whose uuid is made once; no call changes either."
    return _say(call, volume, shown, fault, proof)


def _shrunk(call: Call, reply: Reply, volume: Volume) -> Doubt:
    reason = (
        f"{printable(cut(volume.name))} was to be made smaller, and that was refused; all versions "
        "make the blob smaller first, and not the bdev, if somebody has it open"
    )
    remedy = (
        "compare the volume's num_allocated_clusters with its num_blocks, and do not write to it "
        "before it is resized anew"
    )
    return Doubt(RULE, volume.name, call.request.method, reason, remedy, reply.at.place)


def _undecided(call: Call, reply: Reply, volume: Volume, wrong: str) -> Doubt:
    reason = f"{printable(cut(volume.name))}: {cut(wrong)}; another client may have changed it"
    remedy = "record what all clients send, or repeat it with a target that has no other client"
    return Doubt(RULE, volume.name, call.request.method, reason, remedy, reply.at.place)
