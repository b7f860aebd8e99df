"""bdev_raid_create: a raid of named bdevs, those that are missing awaited (LIFECYCLE 3.2-3.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.raid import build, remove
from bdevcheck.traces.target.modules.raid.assemble import assemble
from bdevcheck.traces.target.modules.raid.configure import fill
from bdevcheck.traces.target.modules.raid.device import NO_UUID
from bdevcheck.traces.target.modules.raid.level import LEVELS
from bdevcheck.traces.target.modules.raid.state import Raid
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Target

ENODEV, EINVAL = -19, -22
MOST = 255
"""How many bases a request may name (RPC_MAX_BASE_BDEVS)."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(slots=True)
class Outcome:
    """How a create goes: how many bases have not been told of, and the last error."""

    left: int
    rc: int = 0


def create(target: Target, call: Call) -> None:
    """Serve bdev_raid_create: answered when all bases were dealt with."""
    bases = _bases(call)
    wish = _wish(call, len(bases))
    if "" in bases:
        raise Refused(EINVAL, f"The base bdev name cannot be empty: {ERRNO[EINVAL][1]}")

    def done(rc: int) -> None:
        if rc:
            call.refuse(rc, _text(wish.name, rc))
        else:
            call.reply(result=True)

    try:
        raid = build.new(target, wish)
    except Refused as refused:
        raise Refused(refused.code, _text(wish.name, refused.code)) from refused
    if wish.has_superblock and not wish.uuid:
        raid.bdev.uuid = target.new_uuid()
    _fill_all(target, raid, bases, done)


def _text(name: str, rc: int) -> str:
    return f"Failed to create RAID bdev {name}: {ERRNO[rc][1]}"


# -- the request -----------------------------------------------------------------------------------


def undecoded(call: Call) -> Refused:
    """Return the refusal of parameters that do not decode."""
    row = method_of(call.method)
    if row is None:
        raise LookupError(f"no method {call.method!r} in the catalogue")
    return Refused(*row.decode)


def _bases(call: Call) -> list[str]:
    given = call.params.get("base_bdevs")
    if not isinstance(given, list) or len(given) > MOST:
        raise undecoded(call)
    bases = [each for each in given if isinstance(each, str)]
    if len(bases) != len(given):
        raise undecoded(call)
    return bases


def _wish(call: Call, slots: int) -> build.Wish:
    params = call.params
    level = LEVELS.get(str(params["raid_level"]).lower())
    strip_kb, uuid = params.get("strip_size_kb", 0), str(params.get("uuid", "")).lower()
    if level is None or not isinstance(strip_kb, int) or (uuid and not _UUID.fullmatch(uuid)):
        raise undecoded(call)
    return build.Wish(
        str(params["name"]),
        level,
        strip_kb,
        slots,
        has_superblock=params.get("superblock") is True,
        uuid="" if uuid == NO_UUID else uuid,
    )


# -- the bases -------------------------------------------------------------------------------------


def _fill_all(target: Target, raid: Raid, bases: list[str], done: Done) -> None:
    """Open each base in turn; what they hold is read at once from all of them.

    A base that is not there is awaited, which is no error. The first that cannot be taken ends it
    when those before it have been read.
    """
    outcome = Outcome(len(bases))
    one = partial(_one, target, raid, outcome, done)
    own = partial(assemble, target)
    for slot, name in zip(raid.slots, bases, strict=True):
        slot.name = name
    codes: list[int] = []
    for slot in raid.slots:
        rc = fill(target, raid, slot, one, own)
        if rc == ENODEV:
            _await(target, raid, slot.number)
            codes.append(0)
        elif rc:
            outcome.left -= len(bases) - slot.number - 1
            codes.append(rc)
            break
    missing = any(slot.life.may("is_missing") for slot in raid.slots)
    raid.life.fire("wait" if missing else "create")
    raid.bdev.life.fire("defer" if missing else "allocate")
    for rc in codes:
        one(rc)


def _await(target: Target, raid: Raid, number: int) -> None:
    slot = raid.slots[number]
    slot.life.fire("miss")
    text = f"base bdev {slot.name} doesn't exist now"
    target.log.line("bdev_raid.c:1750", "raid_bdev_create", "DEBUG", text)


def _one(target: Target, raid: Raid, outcome: Outcome, done: Done, rc: int) -> None:
    """Take note of one base; after the last, answer. A raid that failed is deleted first.

    Newer versions wipe its superblocks, and answer before that is done.
    """
    outcome.rc = rc or outcome.rc
    outcome.left -= 1
    if outcome.left:
        return
    if outcome.rc and not raid.is_ending:
        clears = target.settings.variant.raid_clear_sb
        remove.delete(target, raid, None, clears=clears)
    done(outcome.rc)
