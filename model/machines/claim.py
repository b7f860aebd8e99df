"""The claim on one bdev: who may write to it.

Sources: LIFECYCLE 1.6; spdk_bdev_module_claim_bdev (lib/bdev/bdev.c:9413) and
spdk_bdev_module_claim_bdev_desc (9722) of SPDK v26.05. State names are the `claim_type` strings of
`bdev_get_bdevs`. The number of holders of a shared claim is not counted.
"""

from bdevcheck.model.machine import declare

_CLAIMED = (
    "exclusive_write",
    "read_many_write_one",
    "read_many_write_none",
    "read_many_write_shared",
)

CLAIM = declare(
    "claim",
    ["none", *_CLAIMED],
    [
        ("claim_exclusive_write", "none", "exclusive_write"),
        ("claim_read_many_write_one", "none", "read_many_write_one"),
        ("claim_read_many_write_none", ["none", "read_many_write_none"], "read_many_write_none"),
        (
            "claim_read_many_write_shared",
            ["none", "read_many_write_shared"],
            "read_many_write_shared",
        ),
        ("release", _CLAIMED, "none"),
        ("is_unclaimed", "none", "="),
        ("is_claimed", _CLAIMED, "="),
    ],
    about="the claim on a bdev",
)
