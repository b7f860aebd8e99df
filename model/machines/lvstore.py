"""An lvstore's life: created on a base, or loaded by examination.

Sources: LIFECYCLE 5.1, 5.3, 5.5; vbdev_lvs_create_ext (module/bdev/lvol/vbdev_lvol.c:213) and
_vbdev_lvs_create_cb (171) of SPDK v26.05. The base is open for writing while it is formatted, and
claimed only afterwards, just before the reply. *loading* is examination: it finds the super block,
replays the metadata where the last unload was not clean (LIFECYCLE 5.4), and claims the base.
*destroying* is bdev_lvol_delete_lvstore: the volumes go first.
"""

from bdevcheck.model.machine import declare

LVSTORE = declare(
    "lvstore",
    ["absent", "formatting", "loading", "loaded", "unloading", "destroying"],
    [
        ("format", "absent", "formatting"),
        ("claim_base", "formatting", "loaded"),
        ("fail", "formatting", "absent"),
        ("load", "absent", "loading"),
        ("come_up", "loading", "loaded"),
        ("give_up", "loading", "absent"),
        ("unload", "loaded", "unloading"),
        ("finish", "unloading", "absent"),
        ("destroy", "loaded", "destroying"),
        ("end", "destroying", "absent"),
        ("is_absent", "absent", "="),
        ("is_present", ["formatting", "loading", "loaded", "unloading", "destroying"], "="),
        ("is_loaded", "loaded", "="),
        ("is_not_loaded", ["absent", "formatting", "loading", "unloading", "destroying"], "="),
        ("is_not_loading", ["absent", "formatting", "loaded", "unloading", "destroying"], "="),
        ("is_unloading", "unloading", "="),
        ("is_destroying", "destroying", "="),
        ("is_not_destroying", ["absent", "formatting", "loading", "loaded", "unloading"], "="),
        ("is_leaving", ["unloading", "destroying"], "="),
    ],
    resting=["absent", "loaded"],
    about="an lvstore: formatted on a base or found there, loaded, unloaded or destroyed",
)
