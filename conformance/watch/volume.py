"""Volumes as replies show them: in the list of bdevs, and in the list of volumes.

Both are read entry by entry, and tell the same of a volume: its uuid, its alias and its lvstore
(LIFECYCLE 5.2, 7.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import Method, method_of
from bdevcheck.traces.record import Reply

_LIST = method_of("bdev_lvol_get_lvols")
_KEY = b'"lvol"'
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Volume(NamedTuple):
    """One volume: `name` is its bdev's, `store` the uuid of its lvstore.

    `size` is what its bdev shows, in bytes; 0 where that is not told. `claims` are the parts of
    the alias, where the reply tells them apart.
    """

    name: str
    uuid: str
    aliases: tuple[str, ...]
    store: str
    size: int = 0
    claims: str = ""


def lists_volumes(method: Method | None) -> bool:
    """Tell whether replies of this method list volumes, registered or not."""
    return method is not None and method is _LIST


def listed_volumes(call: Call) -> Iterator[Volume]:
    """Yield the volumes of a success reply of `bdev_lvol_get_lvols` that can be read."""
    result = call.result
    for each in result if isinstance(result, list) else ():
        store = each.get("lvs") if isinstance(each, dict) else None
        if not isinstance(store, dict):
            continue
        told = [each.get("uuid"), each.get("alias"), each.get("name")]
        told += [store.get("uuid"), store.get("name")]
        texts = [text for text in told if isinstance(text, str)]
        if len(texts) == len(told):
            uuid, alias, name, store_uuid, store_name = texts
            yield Volume(uuid, uuid, (alias,), store_uuid, claims=f"{store_name}/{name}")


class _Dump(msgspec.Struct, frozen=True, gc=False):
    lvol_store_uuid: str


class _Specific(msgspec.Struct, frozen=True, gc=False):
    lvol: _Dump | None = None


class _Bdev(msgspec.Struct, frozen=True, gc=False):
    name: str
    uuid: str = ""
    aliases: tuple[str, ...] = ()
    num_blocks: int = 0
    block_size: int = 0
    driver_specific: _Specific | None = None


_read_bdevs = msgspec.json.Decoder(list[_Bdev]).decode


def registered_volumes(call: Call) -> Iterator[Volume]:
    """Yield the volumes among the bdevs that a list shows. Lists without any are not read."""
    reply = call.reply
    if reply is None or reply.error is not None:
        return
    body = reply.body
    if type(body) is not msgspec.Raw:
        bdevs: Iterable[_Bdev] = _patiently(body)
    elif _KEY in bytes(body):
        bdevs = _bdevs_in(body, reply)
    else:
        return
    for each in bdevs:
        said = each.driver_specific
        if said is not None and said.lvol is not None:
            size = each.num_blocks * each.block_size
            yield Volume(each.name, each.uuid, each.aliases, said.lvol.lvol_store_uuid, size)


def is_uuid(text: object) -> bool:
    """Tell whether a value is a uuid as SPDK writes them."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def _bdevs_in(text: msgspec.Raw, reply: Reply) -> Iterable[_Bdev]:
    try:
        return _read_bdevs(text)
    except (msgspec.MsgspecError, RecursionError):  # something odd stands there: entry by entry
        return _patiently(reply.result)


def _patiently(shown: object) -> Iterator[_Bdev]:
    for each in shown if isinstance(shown, list) else ():
        bdev = _bdev_of(each)
        if bdev is not None:
            yield bdev


def _bdev_of(shown: object) -> _Bdev | None:
    try:
        return msgspec.convert(shown, _Bdev)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # a lone surrogate is a ValueError
        return None
