"""The catalogue: every RPC method that changes or shows a bdev's life, as one row of data.

No method is known by name anywhere else. Source: LIFECYCLE 4.

* `methods` has all rows, `catalogue` those that a checker follows, `method_of` one by any name;
* `Method` is a row, `clauses_of` its contract; `bdev_names`, `base_names` are what a call names;
* the rows are in methods.toml and the families that it names; `load` reads them, `consistency`
  checks them;
* `point`, `difference`: when a reply comes, and what differs between versions, both derived from
  the contracts; `document` and `text` show it.
"""

from __future__ import annotations

from bdevcheck.model.catalogue.load import (
    CatalogueError,
    catalogue,
    method_of,
    methods,
    rows_by_name,
)
from bdevcheck.model.catalogue.method import Change, Failure, Kind, Method, is_followed
from bdevcheck.model.catalogue.template import MAX_NAMES, fill, value_of
from bdevcheck.model.clause import Clause
from bdevcheck.model.contract import (
    CREATE_AT_ONCE,
    CREATE_LATER,
    DEFERRED,
    DEFERRED_SUPERBLOCK,
    RAID_CREATE_PLAIN,
    RAID_CREATE_SUPERBLOCK,
)

__all__ = [
    "MAX_NAMES",
    "CatalogueError",
    "Change",
    "Failure",
    "Kind",
    "Method",
    "base_names",
    "bdev_names",
    "catalogue",
    "clauses_of",
    "fill",
    "has_superblock",
    "is_followed",
    "method_of",
    "methods",
    "rows_by_name",
    "value_of",
]


def clauses_of(method: Method, params: object) -> tuple[Clause, ...]:
    """Return the contract of a create: what its handler may do, in every version."""
    superblock = has_superblock(method, params)
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
    return bool(method.superblock) and value_of(params, method.superblock) is True


def base_names(method: Method, params: object) -> tuple[str, ...]:
    """Return the names of the bases that a call names, in order, without doubles."""
    found: list[str] = []
    for parameter in method.bases:
        value = value_of(params, parameter)
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
    if method.result == "object" and isinstance(named := value_of(result, "name"), str):
        return (named,)
    return tuple(name for template in method.bdevs for name in fill(template, params))


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


def _strings(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
