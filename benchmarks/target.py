"""Stand for a conforming target: handlers of the methods that a fleet's clients send.

A handler looks at the target as it is when a request is dispatched, and returns the work that is
left: how many polls it takes, and what happens at its end. What the reply says is true when it is
queued. The clients own what they change, so no handler meets a name that is taken or held.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from benchmarks import body
from benchmarks.body import Bdev, Kind

Params = dict[str, Any]

NOTIFICATIONS = 1024
"""How many notifications SPDK keeps."""

_V1, _V2 = "exclusive_write", "read_many_write_one"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply says: its text, from `"result": ` or `"error": ` on, and its value."""

    text: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is left to do: `finish` is called when `polls` polls have passed."""

    finish: Callable[[], Answer]
    polls: int = 0


@dataclass(slots=True)
class Target:
    """A target's state. `print_line` takes the lines of its log."""

    random: Random
    print_line: Callable[[str], None]
    now_us: int = 0
    bdevs: dict[str, Bdev] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    stores: dict[str, dict[str, object]] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=NOTIFICATIONS))
    noticed: int = 0


def handle(target: Target, method: str, params: Params) -> Work:
    """Dispatch a request."""
    return HANDLERS[method](target, params)


def new_uuid(random: Random) -> str:
    """Return a random uuid of version 4."""
    digits = f"{random.getrandbits(128):032x}"
    variant = "89ab"[random.getrandbits(2)]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _result(value: object) -> Answer:
    return Answer(f'"result": {json.dumps(value)}', value)


def _entries(entries: Iterable[str], value: object = None) -> Answer:
    return Answer(f'"result": [{", ".join(entries)}]', value)


_TRUE = _result(True)
_NO_DEVICE = Answer('"error": {"code": -19, "message": "No such device"}')


def _at_once(answer: Answer) -> Work:
    return Work(lambda: answer)


def _find(target: Target, name: str) -> Bdev | None:
    return target.bdevs.get(target.names.get(name, name))


def _notice(target: Target, kind: str, name: str) -> None:
    said = {"type": kind, "ctx": name, "id": target.noticed}
    target.notices.append(json.dumps(said))
    target.noticed += 1


# -- bdevs come and go ---------------------------------------------------------------------------


def _register(target: Target, bdev: Bdev) -> None:
    target.print_line(f"bdev.c:8556:bdev_register: *DEBUG*: Inserting bdev {bdev.name} into list")
    target.bdevs[bdev.name] = bdev
    target.names.update(dict.fromkeys((bdev.alias or bdev.name, bdev.uuid), bdev.name))
    _notice(target, "bdev_register", bdev.name)


def _creator(
    kind: Kind, *bases: str, result: object = None, polls: int = 0
) -> Callable[[Target, Params], Work]:
    """Return the handler of a create; `bases` are the parameters that name what it claims."""

    def create(target: Target, params: Params) -> Work:
        held = [target.bdevs[name] for key in bases for name in _listed(params[key])]
        bdev = Bdev(
            name=params["name"],
            kind=kind,
            uuid=new_uuid(target.random),
            blocks=held[0].blocks if held else params.get("num_blocks", 1 << 24),
            bases=tuple(base.name for base in held),
        )
        bdev.details = _details(bdev, params, held)
        for base in held:
            base.changed(claim=_V1)

        def finish() -> Answer:
            _register(target, bdev)
            return _result(bdev.name if result is None else result)

        return Work(finish, polls + bool(params.get("superblock")))

    return create


def _listed(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _details(bdev: Bdev, params: Params, held: list[Bdev]) -> dict[str, object]:
    if bdev.kind is body.RAID:
        return body.raid_details(bdev.uuid, bool(params["superblock"]), held)
    if bdev.kind is body.AIO:
        said = {"filename": params["filename"], "block_size_override": True}
        return {**said, "readonly": False, "fallocate": False, "nowait": False}
    if bdev.kind is body.DELAY:
        return {**params, "uuid": bdev.uuid}
    return dict(params)


def _delete(target: Target, params: Params) -> Work:
    """Hide the bdev at once, unlist it at the end."""
    bdev = target.bdevs.pop(target.names[params["name"]])
    for name in (bdev.alias or bdev.name, bdev.uuid):
        del target.names[name]
    removing = f"*DEBUG*: Removing bdev {bdev.name} from list"
    target.print_line(f"bdev.c:8719:spdk_bdev_unregister: {removing}")

    def finish() -> Answer:
        target.print_line(f"bdev.c:8649:bdev_unregister_unsafe: {removing} done")
        _notice(target, "bdev_unregister", bdev.name)
        for name in bdev.bases:
            target.bdevs[name].changed(claim="")
        return _TRUE

    return Work(finish, target.random.randrange(3))


# -- volumes -------------------------------------------------------------------------------------


def _create_store(target: Target, params: Params) -> Work:
    base, uuid = target.bdevs[params["bdev_name"]], new_uuid(target.random)
    base.changed(claim=_V2)

    def finish() -> Answer:
        target.stores[params["lvs_name"]] = body.store_body(uuid, params["lvs_name"], base)
        return _result(uuid)

    return Work(finish, 2)


def _create_volume(target: Target, params: Params) -> Work:
    store = target.stores[params["lvs_name"]]
    return _new_volume(
        target,
        f"{params['lvs_name']}/{params['lvol_name']}",
        params["size_in_mib"] << 11,
        body.lvol_details(store),
    )


def _snapshot(target: Target, params: Params) -> Work:
    origin = target.bdevs[target.names[params["lvol_name"]]]
    store, _, name = origin.alias.partition("/")
    origin.changed(clone=True, base_snapshot=params["snapshot_name"])
    details = body.lvol_details(target.stores[store], snapshot=True) | {"clones": [name]}
    return _new_volume(target, f"{store}/{params['snapshot_name']}", origin.blocks, details)


def _new_volume(target: Target, alias: str, blocks: int, details: dict[str, object]) -> Work:
    uuid = new_uuid(target.random)
    bdev = Bdev(uuid, body.LVOL, uuid, blocks, alias=alias, details=details)

    def finish() -> Answer:
        _register(target, bdev)
        return _result(uuid)

    return Work(finish, 1 + target.random.randrange(2))


def _delete_volume(target: Target, params: Params) -> Work:
    """As any delete; the clone of a snapshot becomes an ordinary volume again."""
    bdev = target.bdevs[target.names[params["name"]]]
    clones = bdev.details.get("clones")
    for clone in _listed(clones) if clones else ():
        origin = target.bdevs[target.names[f"{bdev.alias.partition('/')[0]}/{clone}"]]
        origin.changed(clone=False, base_snapshot=None)
    return _delete(target, params)


# -- what only looks -----------------------------------------------------------------------------


def _get_bdevs(target: Target, params: Params) -> Work:
    if "name" not in params:
        return _at_once(_entries(each.entry() for each in target.bdevs.values()))
    bdev = _find(target, params["name"])
    return _at_once(_NO_DEVICE if bdev is None else _entries([bdev.entry()]))


def _get_iostat(target: Target, params: Params) -> Work:
    names = params.get("names", list(target.bdevs))
    found = [_find(target, name) for name in names]
    if None in found:
        return _at_once(_NO_DEVICE)
    ticks = target.now_us * body.TICK_RATE // 10**6
    entries = ", ".join(body.iostat_entry(each.name, target.now_us) for each in found if each)
    head = f'"tick_rate": {body.TICK_RATE}, "ticks": {ticks}'
    return _at_once(Answer(f'"result": {{{head}, "bdevs": [{entries}]}}'))


def _get_notifications(target: Target, params: Params) -> Work:
    """Answer from the ring; what is asked for and is not there any more is passed over."""
    oldest = target.noticed - len(target.notices)
    first = max(params["id"] - oldest, 0)
    found = [target.notices[n] for n in range(first, min(first + params["max"], target.noticed))
             if n < len(target.notices)]  # fmt: skip
    return _at_once(_entries(found, oldest + first + len(found)))


def _get_stores(target: Target, params: Params) -> Work:
    del params
    return _at_once(_result(list(target.stores.values())))


def _get_subsystems(target: Target, params: Params) -> Work:
    nqn = params["nqn"]
    bdev = target.exported.get(nqn)
    if bdev is None:
        return _at_once(_NO_DEVICE)
    return _at_once(_result([body.subsystem_body(nqn, bdev)]))


# -- exports, and the rest -----------------------------------------------------------------------


def _add_namespace(target: Target, params: Params) -> Work:
    name = params["namespace"]["bdev_name"]
    target.bdevs[name].changed(claim=_V1)
    target.exported[params["nqn"]] = name
    return Work(lambda: _result(1), 1)


def _delete_subsystem(target: Target, params: Params) -> Work:
    target.bdevs[target.exported.pop(params["nqn"])].changed(claim="")
    return Work(lambda: _TRUE, 1)


def _says(make: Callable[[int], object]) -> Callable[[Target, Params], Work]:
    return lambda target, _: _at_once(_result(make(target.now_us)))


HANDLERS: dict[str, Callable[[Target, Params], Work]] = {
    "bdev_malloc_create": _creator(body.MALLOC),
    "bdev_null_create": _creator(body.NULL),
    "bdev_aio_create": _creator(body.AIO),
    "bdev_delay_create": _creator(body.DELAY, "base_bdev_name"),
    "bdev_passthru_create": _creator(body.PASSTHRU, "base_bdev_name"),
    "bdev_raid_create": _creator(body.RAID, "base_bdevs", result=True, polls=1),
    "bdev_lvol_create_lvstore": _create_store,
    "bdev_lvol_create": _create_volume,
    "bdev_lvol_snapshot": _snapshot,
    "bdev_malloc_delete": _delete,
    "bdev_null_delete": _delete,
    "bdev_aio_delete": _delete,
    "bdev_delay_delete": _delete,
    "bdev_passthru_delete": _delete,
    "bdev_raid_delete": _delete,
    "bdev_lvol_delete": _delete_volume,
    "bdev_get_bdevs": _get_bdevs,
    "bdev_get_iostat": _get_iostat,
    "bdev_lvol_get_lvstores": _get_stores,
    "bdev_wait_for_examine": _says(lambda _: True),
    "notify_get_notifications": _get_notifications,
    "nvmf_create_subsystem": _says(lambda _: True),
    "nvmf_subsystem_add_listener": _says(lambda _: True),
    "nvmf_subsystem_add_ns": _add_namespace,
    "nvmf_delete_subsystem": _delete_subsystem,
    "nvmf_get_subsystems": _get_subsystems,
    "nvmf_get_stats": _says(body.poll_groups_body),
    "thread_get_stats": _says(body.threads_body),
    "spdk_get_version": _says(lambda _: body.version_body()),
}
