"""The life cycles, one file each: the only place where their states and rows are written."""

from dataclasses import dataclass, fields

from bdevcheck.model.machine import Machine
from bdevcheck.model.machines.alias import ALIAS
from bdevcheck.model.machines.allowlist import ALLOWLIST
from bdevcheck.model.machines.batch import BATCH
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.call import any_call
from bdevcheck.model.machines.churn import CHURN
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.connection import CONNECTION
from bdevcheck.model.machines.controller import CONTROLLER
from bdevcheck.model.machines.descriptor import DESCRIPTOR
from bdevcheck.model.machines.discovery import DISCOVERY
from bdevcheck.model.machines.disk import DISK
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.framework import FRAMEWORK
from bdevcheck.model.machines.listing import LISTING
from bdevcheck.model.machines.locked_range import LOCKED_RANGE
from bdevcheck.model.machines.lvol import LVOL
from bdevcheck.model.machines.lvstore import LVSTORE
from bdevcheck.model.machines.memory import MEMORY
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.machines.notification import NOTIFICATION
from bdevcheck.model.machines.pollers import pollers
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.reader import READER
from bdevcheck.model.machines.rebuild import REBUILD
from bdevcheck.model.machines.record import RECORD
from bdevcheck.model.machines.reference import REFERENCE
from bdevcheck.model.machines.refusal import REFUSAL
from bdevcheck.model.machines.reply_queue import REPLY_QUEUE
from bdevcheck.model.machines.request_kind import REQUEST_KIND
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.machines.script import script
from bdevcheck.model.machines.server_slot import SERVER_SLOT
from bdevcheck.model.machines.size import SIZE
from bdevcheck.model.machines.slot import SLOT
from bdevcheck.model.machines.stream import STREAM
from bdevcheck.model.machines.target import TARGET


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines that everything else is derived from; a mutant is `replace(MACHINES, ...)`."""

    bdev: Machine = BDEV
    name: Machine = NAME
    rpc: Machine = RPC
    connection: Machine = CONNECTION
    examine: Machine = EXAMINE
    claim: Machine = CLAIM
    raid: Machine = RAID
    slot: Machine = SLOT
    disk: Machine = DISK
    lvstore: Machine = LVSTORE
    lvol: Machine = LVOL
    alias: Machine = ALIAS
    allowlist: Machine = ALLOWLIST
    churn: Machine = CHURN
    descriptor: Machine = DESCRIPTOR
    locked_range: Machine = LOCKED_RANGE
    notification: Machine = NOTIFICATION
    size: Machine = SIZE
    target: Machine = TARGET
    record: Machine = RECORD
    reference: Machine = REFERENCE
    listing: Machine = LISTING
    memory: Machine = MEMORY
    rebuild: Machine = REBUILD
    batch: Machine = BATCH
    controller: Machine = CONTROLLER
    discovery: Machine = DISCOVERY
    framework: Machine = FRAMEWORK
    reader: Machine = READER
    refusal: Machine = REFUSAL
    reply_queue: Machine = REPLY_QUEUE
    request_kind: Machine = REQUEST_KIND
    server_slot: Machine = SERVER_SLOT
    stream: Machine = STREAM


LIFE_CYCLES = Machines()

MACHINES: dict[str, Machine] = {
    each.name: getattr(LIFE_CYCLES, each.name) for each in fields(Machines)
}

__all__ = ["LIFE_CYCLES", "MACHINES", "Machines", "any_call", "pollers", "script"]
