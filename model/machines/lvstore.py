"""An lvstore's life: created on a base, or loaded by examination.

Sources: LIFECYCLE 5.1, 5.3, 5.5; vbdev_lvs_create_ext (module/bdev/lvol/vbdev_lvol.c:213) and
_vbdev_lvs_create_cb (171) of SPDK v26.05. The base is open for writing while it is formatted, and
claimed only afterwards, just before the reply.
"""

from bdevcheck.model.machine import declare

LVSTORE = declare(
    "lvstore",
    ["absent", "formatting", "loaded", "unloading"],
    [
        ("format", "absent", "formatting"),
        ("claim_base", "formatting", "loaded"),
        ("fail", "formatting", "absent"),
        ("unload", "loaded", "unloading"),
        ("finish", "unloading", "absent"),
        ("is_absent", "absent", "="),
        ("is_present", ["formatting", "loaded", "unloading"], "="),
    ],
    resting=["absent", "loaded"],
    about="an lvstore: formatted on a base, loaded, unloaded",
)
