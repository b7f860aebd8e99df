"""The stored record of a vbdev: what its module keeps to build it when its base appears.

Sources: LIFECYCLE 4.4; vbdev_passthru_insert_name, vbdev_passthru_register (module/bdev/passthru/
vbdev_passthru.c) and vbdev_delay_register (module/bdev/delay/vbdev_delay.c) of SPDK v26.05. A
create stores the record first and builds the vbdev after that; examination of a new bdev walks the
records.

Choices. *stored* and *fired* belong to a create that was answered with success: the vbdev is not
there, or it is. *ghost* and *haunting* are the same after a create that was answered with an error
and left its record behind, so that a trace of the error is in the state. `take_back` is storing and
removing in one call: nothing is left of it.
"""

from bdevcheck.model.machine import declare

RECORD = declare(
    "record",
    ["absent", "stored", "fired", "ghost", "haunting"],
    [
        ("store", "absent", "stored"),
        ("apply", "absent", "fired"),
        ("leave_behind", "absent", "ghost"),
        ("take_back", "absent", "absent"),
        # Its base appears, and goes: the record survives that.
        ("fire", "stored", "fired"),
        ("haunt", "ghost", "haunting"),
        ("lose_bdev", "fired", "stored"),
        ("lose_bdev", "haunting", "ghost"),
        ("erase", ["stored", "fired", "haunting"], "absent"),
        ("is_absent", "absent", "="),
        ("is_kept", ["stored", "fired", "ghost", "haunting"], "="),
        ("is_promised", "stored", "="),
        ("is_ghost", "ghost", "="),
        ("is_not_waiting", ["absent", "fired", "haunting"], "="),
    ],
    about="a module's record of a vbdev that it builds when the base appears",
)
