"""The blob behind one logical volume (lvol), and what its bdev shows of it.

Sources: LIFECYCLE 5.2-5.5; _create_lvol_disk (module/bdev/lvol/vbdev_lvol.c:1155),
_vbdev_lvol_create_cb (1240), _vbdev_lvol_destroy_cb (632), vbdev_lvol_resize_cb (1414) of SPDK
v26.05. The bdev itself is a bdev machine, its uuid and its alias ``lvs/lvol`` are names.

Choices. *degraded*: the blob is there but its external snapshot is not, so that no bdev is
registered. *shrunk*: the blob was made smaller while somebody had the bdev open, and the bdev was
not. *purging* is deletion along with the lvstore, *deleting* by a request of its own: only the
latter is answered. *closed* blobs stay on disk and are opened again when the lvstore is loaded.
"""

from bdevcheck.model.machine import declare

_WITH_BDEV = ("open", "shrunk")

LVOL = declare(
    "lvol",
    ["absent", "creating", "open", "shrunk", "degraded", "closed", "deleting", "purging"],
    [
        ("create", "absent", "creating"),
        ("fail", "creating", "absent"),
        ("open", "creating", "open"),
        ("degrade", "creating", "degraded"),
        ("load", "closed", "open"),
        ("load_degraded", "closed", "degraded"),
        ("attach", "degraded", "open"),
        ("resize", _WITH_BDEV, "open"),
        ("shrink", _WITH_BDEV, "shrunk"),
        ("close", [*_WITH_BDEV, "degraded"], "closed"),
        ("destroy", _WITH_BDEV, "deleting"),
        ("discard", "degraded", "deleting"),
        ("delete_blob", "deleting", "absent"),
        ("keep_blob", "deleting", "closed"),
        ("purge", _WITH_BDEV, "purging"),
        ("purge_blob", "purging", "absent"),
        ("is_absent", "absent", "="),
        (
            "exists",
            ["open", "shrunk", "degraded", "closed", "creating", "deleting", "purging"],
            "=",
        ),
        ("is_degraded", "degraded", "="),
        (
            "is_not_degraded",
            ["absent", "creating", "open", "shrunk", "closed", "deleting", "purging"],
            "=",
        ),
        ("should_have_bdev", ["absent", "creating", "open", "shrunk", "deleting", "purging"], "="),
        ("may_lack_bdev", ["degraded", "closed"], "="),
        ("holds_no_snapshot", ["absent", "creating", "degraded", "closed"], "="),
        ("is_deleting", "deleting", "="),
        ("is_not_deleting", ["absent", "creating", "open", "shrunk", "degraded", "closed"], "="),
        ("is_closed", ["absent", "closed"], "="),
        ("is_not_closed", ["absent", "creating", "open", "shrunk", "degraded", "deleting"], "="),
        ("is_as_big_as_its_bdev", "open", "="),
    ],
    resting=["absent", "open", "shrunk", "degraded", "closed"],
    about="the blob behind a logical volume",
)
