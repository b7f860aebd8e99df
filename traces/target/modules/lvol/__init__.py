"""Logical volume stores and their volumes (module/bdev/lvol, lib/lvol, lib/blob; LIFECYCLE 5)."""

from bdevcheck.traces.target.modules.lvol.examine import module
from bdevcheck.traces.target.modules.lvol.methods import HANDLERS

__all__ = ["HANDLERS", "module"]
