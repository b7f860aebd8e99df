"""The rebuild of one raid: a process that copies onto a new member, window by window.

Sources: LIFECYCLE 3.9; raid_bdev_start_rebuild, raid_bdev_process_thread_run,
raid_bdev_process_finish_done (module/bdev/raid/bdev_raid.c of SPDK v26.05). A raid has one process
at most. Windows are not counted: *running* is all of them.

Choice: `interrupt` is what the removal of a member does to the process, whatever it is at: it only
asks for the end, which comes with a line in the log (`cancel`).
"""

from bdevcheck.model.machine import declare

_UNDER_WAY = ("initiated", "running", "stopping")

REBUILD = declare(
    "rebuild",
    ["idle", *_UNDER_WAY],
    [
        ("initiate", "idle", "initiated"),
        ("start", "initiated", "running"),
        ("finish", "running", "idle"),
        ("fail", "running", "stopping"),
        ("interrupt", "idle", "="),
        ("interrupt", _UNDER_WAY, "stopping"),
        ("cancel", "stopping", "idle"),
        ("is_idle", "idle", "="),
        ("is_under_way", _UNDER_WAY, "="),
    ],
    resting=["idle"],
    about="the rebuild of a raid onto a new member",
)
