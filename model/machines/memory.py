"""The target's memory: sound until something writes into what has been freed.

Source: LIFECYCLE 3.3 (raid_fail_uaf). The target usually goes on after such a write, and nothing it
does then can be relied on; so this marks a hazard, and stops nothing.
"""

from bdevcheck.model.machine import declare

MEMORY = declare(
    "memory",
    ["sound", "damaged"],
    [("write_after_free", "sound", "damaged")],
    about="the target's memory: damaged by a write into what was freed",
)
