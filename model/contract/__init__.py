"""Contracts: what the handlers of RPC methods do, as clauses over roles.

Roles: `rpc` the request, `bdev` the object that it makes, `name` that object's name in the name
tree, `base` the names of its bases, `member` the bases' objects, `claim` the claims on them, `disk`
what they hold, `raid` the assembly, `slot` its slots, `examine` the examination of a bdev. ``each
X`` means every component bound to X, ``some X`` makes one vector for each of them.
"""

from bdevcheck.model.contract.create import CREATE_AT_ONCE, CREATE_LATER, DEFERRAL, DEFERRED
from bdevcheck.model.contract.delete import DELETE, LEAVE
from bdevcheck.model.contract.lookup import LOOKUP
from bdevcheck.model.contract.lvol import LVSTORE_CREATE
from bdevcheck.model.contract.raid import (
    DEFERRED_SUPERBLOCK,
    EXAMINE_BY_HAND,
    JOIN,
    JOIN_UNEXAMINED,
    RAID_CREATE_PLAIN,
    RAID_CREATE_SUPERBLOCK,
    REVIVE,
)
from bdevcheck.model.contract.wait import WAIT

__all__ = [
    "CREATE_AT_ONCE",
    "CREATE_LATER",
    "DEFERRAL",
    "DEFERRED",
    "DEFERRED_SUPERBLOCK",
    "DELETE",
    "EXAMINE_BY_HAND",
    "JOIN",
    "JOIN_UNEXAMINED",
    "LEAVE",
    "LOOKUP",
    "LVSTORE_CREATE",
    "RAID_CREATE_PLAIN",
    "RAID_CREATE_SUPERBLOCK",
    "REVIVE",
    "WAIT",
]
