"""The catalogue: every RPC method that changes or shows a bdev's life, as one row of data.

No method is known by name anywhere else. Source: LIFECYCLE 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract import (
    CREATE_AT_ONCE,
    CREATE_LATER,
    DEFERRED,
    DEFERRED_SUPERBLOCK,
    RAID_CREATE_PLAIN,
    RAID_CREATE_SUPERBLOCK,
)

Kind = Literal[
    "create",
    "delete",
    "detach",
    "rename",
    "use",
    "lookup",
    "wait",
    "examine",
    "adopt",
    "logging",
    "shutdown",
    "other",
]


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row.

    `bdevs` are templates of the names of the bdevs that the call is about: ``{p}`` is the value of
    parameter p, ``{p#}`` counts from 0 below the value of p, ``*`` stands for any number. Of a
    create, the reply comes first: `result` says what it holds ("name": the new name, "names": a
    list of them, "object": a member `name`, "bool": nothing, "bdevs": the bdevs found). `bases` are
    the parameters that name bases (a string or a list). `store` names the lvstore (``{a|b}``: the
    first of the two that is given), `alias` the second name that a volume gets (``{p^}``: the
    lvstore part of the alias in p), `peer` the parameter that names a volume of the same lvstore.

    `reply` is the reply class of LIFECYCLE 4.1: "at-once" (S), "later" (A), "after-examine"
    (AX), "at-initiation" (I); `defers` (D): success is right while a base is missing. `missing`
    are the error codes that say that the bdev asked for is not there. `volatile`: its bdevs may
    vanish without a call. `discards`: the delete also ends bdevs that were never registered.
    `early` is the variant parameter under which the reply comes too soon. `superblock` is the
    boolean parameter that asks for metadata on the bases.
    """

    kind: Kind
    name: str = ""
    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    result: Literal["name", "names", "object", "bool", "bdevs"] = "bool"
    reply: Literal["at-once", "later", "after-examine", "at-initiation"] = "later"
    defers: bool = False
    contract: Literal["plain", "raid"] = "plain"
    superblock: str = ""
    early: str = ""
    missing: tuple[int, ...] = ()
    volatile: bool = False
    discards: bool = False
    store: str = ""
    alias: str = ""
    peer: str = ""
    since: str = ""
    until: str = ""


@cache
def catalogue() -> Mapping[str, Method]:
    """Return the rows by method name; raises `msgspec.ValidationError` for a row out of form."""
    text = resources.files(__name__).joinpath("methods.toml").read_bytes()
    rows = msgspec.toml.decode(text, type=dict[str, Method])
    return {name: msgspec.structs.replace(row, name=name) for name, row in rows.items()}


def clauses_of(method: Method, params: object) -> tuple[Clause, ...]:
    """Return the contract of a create: what its handler may do, in every version."""
    superblock = bool(method.superblock) and _get(params, method.superblock) is True
    create: tuple[Clause, ...]
    if method.contract == "raid":
        create = RAID_CREATE_SUPERBLOCK if superblock else RAID_CREATE_PLAIN
    else:
        create = CREATE_AT_ONCE if method.reply == "at-once" else CREATE_LATER
    if not method.defers:
        return create + _early_clauses(method)
    return create + (DEFERRED_SUPERBLOCK if superblock else DEFERRED)


def has_superblock(method: Method, params: object) -> bool:
    """Tell whether the call asks for metadata on its bases."""
    return bool(method.superblock) and _get(params, method.superblock) is True


def base_names(method: Method, params: object) -> tuple[str, ...]:
    """Return the names of the bases that a call names, in order, without doubles."""
    found: list[str] = []
    for parameter in method.bases:
        value = _get(params, parameter)
        found += [value] if isinstance(value, str) else _strings(value)
    return tuple(dict.fromkeys(found))


def bdev_names(method: Method, params: object, result: object) -> tuple[str, ...]:
    """Return the names of the bdevs that a call is about: by its result, else by its parameters.

    Names that neither tells (a default name without a reply) are left out. A template with ``*``
    comes back as it is, for the caller to match.

    >>> bdev_names(catalogue()["bdev_split_create"], {"base_bdev": "m", "split_count": 2}, [])
    ('mp0', 'mp1')
    """
    if method.result == "name" and isinstance(result, str):
        return (result,)
    if method.result == "names" and (listed := _strings(result)):
        return tuple(listed)
    if method.result == "object" and isinstance(named := _get(result, "name"), str):
        return (named,)
    return tuple(name for template in method.bdevs for name in fill(template, params))


_FIELD = re.compile(r"\{([a-z0-9_|]+)([#^]?)\}")
MAX_NAMES = 1024
"""Bound on the names that one counting template makes (a hostile `split_count` is cut there)."""


def fill(template: str, params: object) -> tuple[str, ...]:
    """Return the names that `template` makes of `params`; none where a parameter is missing."""
    texts = [""]
    position = 0
    for match in _FIELD.finditer(template):
        values = _values(match[1], match[2], params)
        texts = [text + template[position : match.start()] + v for text in texts for v in values]
        position = match.end()
    return tuple(text + template[position:] for text in texts)


def _values(names: str, mark: str, params: object) -> Sequence[str]:
    value = next((v for n in names.split("|") if (v := _get(params, n)) is not None), None)
    if mark == "#":
        count = value if isinstance(value, int) and not isinstance(value, bool) else 0
        return [str(number) for number in range(min(count, MAX_NAMES))]
    if not isinstance(value, str):
        return []
    if mark == "^":
        return [value.split("/", 1)[0]] if "/" in value else []
    return [value]


def _early_clauses(method: Method) -> tuple[Clause, ...]:
    if not method.early:
        return ()
    early = Clause(
        "reply queued before initialisation ended",
        {"rpc": "queue_ok", "bdev": "is_unborn"},
        needs={method.early: True},
        reply=True,
    )
    return (early,)


def _get(value: object, member: str) -> object:
    return value.get(member) if isinstance(value, dict) else None


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
