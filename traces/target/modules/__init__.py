"""What the emulated target's bdev modules do, one file each.

Each file has `HANDLERS`, catalogued method -> function of target and call, and, where the module
looks at bdevs that register, `module(target) -> Module`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Module
from bdevcheck.traces.target.modules import (
    aio,
    delay,
    error,
    framework,
    ftl,
    gpt,
    limits,
    logging,
    lvol,
    malloc,
    notify,
    null,
    passthru,
    raid,
    split,
    views,
    zone_block,
)

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Handler, Target

_FILES = (
    malloc,
    null,
    aio,
    delay,
    error,
    passthru,
    split,
    zone_block,
    raid,
    lvol,
    views,
    limits,
    ftl,
    notify,
    logging,
    framework,
)
HANDLERS: Mapping[str, Handler] = {
    name: handler for file in _FILES for name, handler in file.HANDLERS.items()
}
MODULES: tuple[Callable[[Target], Module], ...] = (
    zone_block.module,
    delay.module,
    split.module,
    error.module,
    passthru.module,
    gpt.module,
    raid.module,
    lvol.module,
)
"""In the order in which they are asked about a bdev that registers (LIFECYCLE 1.3)."""
