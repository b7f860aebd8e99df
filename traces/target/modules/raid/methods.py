"""The methods of raids beside their creation (LIFECYCLE 3.9-3.11; bdev_raid_rpc.c)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.catalogue.difference import is_in
from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.model.machines.raid import EVERY, SHOWN
from bdevcheck.traces.target.modules.raid import device, member, remove
from bdevcheck.traces.target.modules.raid.assemble import assemble
from bdevcheck.traces.target.modules.raid.configure import fill
from bdevcheck.traces.target.modules.raid.create import create, undecoded
from bdevcheck.traces.target.modules.raid.state import Raid, Raids, Slot
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

EPERM, ENODEV, EINVAL, INTERNAL = -1, -19, -22, -32603


def delete(target: Target, call: Call) -> None:
    """Serve bdev_raid_delete: answered when the raid is gone, registered or not."""
    name = str(call.params["name"])
    raid = target.part(Raids).by_name(name)
    if raid is None:
        raise Refused(ENODEV, f"raid bdev {name} not found")

    def done(rc: int) -> None:
        if rc:
            call.refuse(INTERNAL, ERRNO[rc][1])
        else:
            call.reply(result=True)

    remove.delete(target, raid, done, clears=call.params.get("clear_sb") is True)


def get_raids(target: Target, call: Call) -> None:
    """Serve bdev_raid_get_bdevs: registered or not, those of a category."""
    category = str(call.params["category"])
    if category not in SHOWN and category != EVERY:
        raise _no_category(target, call)
    raids = target.part(Raids).raids
    call.reply(
        [
            {"name": raid.name, **device.info(raid)}
            for raid in raids
            if category in (EVERY, raid.shown)
        ]
    )


def _no_category(target: Target, call: Call) -> Refused:
    """Return the refusal of an unknown category: where the version has none, it does not decode."""
    row, version = method_of(call.method), target.settings.variant.version
    failures = [each for each in row.errors if is_in(each, version)] if row is not None else []
    return Refused(failures[0].code) if failures else undecoded(call)


def set_options(target: Target, call: Call) -> None:
    """Serve bdev_raid_set_options; rebuilds that run go on by the new ones."""
    raids = target.part(Raids)
    window = call.params.get("process_window_size_kb", raids.window_kb)
    bandwidth = call.params.get("process_max_bandwidth_mb_sec", raids.bandwidth_mb)
    if not isinstance(window, int) or not isinstance(bandwidth, int):
        raise undecoded(call)
    if window == 0:
        raise Refused(EINVAL)
    raids.window_kb, raids.bandwidth_mb = window, bandwidth
    call.reply(result=True)


# -- members ---------------------------------------------------------------------------------------


def add_base(target: Target, call: Call) -> None:
    """Serve bdev_raid_add_base_bdev: answered when the member is taken in.

    Of an online raid that is when its rebuild has been initiated.
    """
    name, base = str(call.params["raid_bdev"]), str(call.params["base_bdev"])
    raid = target.part(Raids).by_name(name)
    if raid is None:
        raise Refused(ENODEV, f"raid bdev {name} is not found in config")
    rc = _add(target, call, raid, base)
    if rc:
        text = f"Failed to add base bdev {base} to RAID bdev {name}: {ERRNO[rc][1]}"
        raise Refused(rc, text)


def _add(target: Target, call: Call, raid: Raid, base: str) -> int:
    if raid.process is not None:
        text = f"raid bdev '{raid.name}' is in process"
        target.log.line("bdev_raid.c:3655", "raid_bdev_add_base_bdev", "ERROR", text)
        return EPERM
    slot = _slot_for(target, raid, base)
    if slot is None:
        text = f"no empty slot found in raid bdev '{raid.name}' for new base bdev '{base}'"
        target.log.line("bdev_raid.c:3681", "raid_bdev_add_base_bdev", "ERROR", text)
        return EINVAL

    def done(rc: int) -> None:
        if rc:
            call.refuse(rc, f"Failed to add base bdev to RAID bdev: {ERRNO[rc][1]}")
        else:
            call.reply(result=True)

    slot.name = base
    rc = fill(target, raid, slot, done, partial(assemble, target))
    if rc and (rc != ENODEV or not raid.is_configuring):
        slot.name = ""
    return rc


def _slot_for(target: Target, raid: Raid, base: str) -> Slot | None:
    """Return the slot that a bdev had in a raid that is configuring, else one that nobody has."""
    bdev = target.layer.find(base)
    nameless = [slot for slot in raid.slots if not slot.name]
    if raid.is_configuring and bdev is not None:
        for slot in nameless:
            if slot.uuid == bdev.uuid:
                return slot
    return next((slot for slot in nameless if not slot.uuid), None)


def remove_base(target: Target, call: Call) -> None:
    """Serve bdev_raid_remove_base_bdev: answered when the member is out."""
    refusal = "Failed to remove base bdev from raid bdev"

    def done(rc: int) -> None:
        if rc:
            call.refuse(rc, refusal)
        else:
            call.reply(result=True)

    try:
        descriptor = target.layer.open(str(call.params["name"]), "rpc", write=False)
    except Refused as refused:
        raise Refused(refused.code, refusal) from refused
    found = target.part(Raids).member(descriptor.bdev)
    rc = ENODEV if found is None else member.remove(target, *found, done)
    target.layer.close(descriptor)
    if rc:
        raise Refused(rc, refusal)


HANDLERS: Mapping[str, Handler] = {
    "bdev_raid_create": create,
    "bdev_raid_delete": delete,
    "bdev_raid_get_bdevs": get_raids,
    "bdev_raid_set_options": set_options,
    "bdev_raid_add_base_bdev": add_base,
    "bdev_raid_remove_base_bdev": remove_base,
}
