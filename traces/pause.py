"""Pause Python's cycle collector while many records are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collector() -> Iterator[None]:
    """Let the cycle collector run a hundred times more rarely inside the block.

    Little of what a checker keeps lies in cycles, but the collector visits all of it each time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100 * (before[0] or 700), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the cycle collector off inside the block, and leave it as it was found.

    Records hold no cycles, and a collector that runs while they pile up visits all of them again
    and again: reading 113,600 records takes 2.3 s with it and 0.7 s without.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
