"""One holder's descriptor on one bdev: how it is open, and whether its holder was told to go.

Sources: LIFECYCLE 1.5, 1.6, 1.7; bdev_open (lib/bdev/bdev.c:8842), bdev_unregister_unsafe (8615),
spdk_bdev_module_claim_bdev (9413) and spdk_bdev_module_claim_bdev_desc (9722) of SPDK v26.05.

Choices. A claim is asked for through a descriptor and promotes it to writing, so *owning* is "open
for writing, with a claim" and *sharing* "open for reading, with a claim of the kind that nobody
writes". A v1 claim does not look at others' descriptors: a writer that was open before stays, and
is *bypassed* from then on, so that it can be told from one that opens later, which is refused.
*told* means that the REMOVE event was delivered; what the holder does then is the system's matter.
Rows that no system needs so far are left out: nobody with a shared claim is told of a removal.
"""

from bdevcheck.model.machine import declare

_OPEN = ("reading", "writing", "sharing", "owning", "bypassed")

DESCRIPTOR = declare(
    "descriptor",
    ["closed", *_OPEN, "told"],
    [
        ("open_for_reading", "closed", "reading"),
        ("open_for_writing", "closed", "writing"),
        ("open_and_share", "closed", "sharing"),
        ("open_and_own", "closed", "owning"),
        ("claim_for_writing", "writing", "owning"),
        # What the v1 claim of another holder, taken or given back, means for this one.
        ("see_claim_taken", ["closed", "reading"], "="),
        ("see_claim_taken", "writing", "bypassed"),
        ("see_claim_released", ["closed", "reading"], "="),
        ("see_claim_released", "bypassed", "writing"),
        # The way out: every descriptor is told; a closed one hears nothing.
        ("hear_remove", "closed", "="),
        ("hear_remove", ["reading", "writing", "owning", "bypassed"], "told"),
        ("close", [*_OPEN, "told"], "closed"),
        ("close_unclaimed", ["writing", "bypassed"], "closed"),
        ("is_closed", "closed", "="),
        ("is_told", "told", "="),
        ("is_no_writer", ["closed", "reading"], "="),
        ("is_writer", ["writing", "owning", "bypassed"], "="),
        ("is_claiming", ["sharing", "owning"], "="),
    ],
    resting=["closed", *_OPEN],
    about="a holder's descriptor on a bdev: closed, open, claiming, told of the removal",
)
