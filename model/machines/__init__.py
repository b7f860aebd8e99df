"""The life cycles, one file each: the only place where their states and rows are written."""

from dataclasses import dataclass, fields

from bdevcheck.model.machine import Machine
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.call import any_call
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.connection import CONNECTION
from bdevcheck.model.machines.disk import DISK
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.lvstore import LVSTORE
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.machines.script import script
from bdevcheck.model.machines.slot import SLOT


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


LIFE_CYCLES = Machines()

MACHINES: dict[str, Machine] = {
    each.name: getattr(LIFE_CYCLES, each.name) for each in fields(Machines)
}

__all__ = ["LIFE_CYCLES", "MACHINES", "Machines", "any_call", "script"]
