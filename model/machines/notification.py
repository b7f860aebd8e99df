"""What is notified of one bdev: the beginning, and the end.

Sources: LIFECYCLE 1.2, 1.7, 7.1; bdev_register_finished (lib/bdev/bdev.c:9359) and
bdev_unregister_unsafe (8615) of SPDK v26.05. The notification of the beginning is *due* from the
registration on, and sent when no bdev is being examined; that of the end is sent when the bdev is
unlisted. The machine lets the end be notified while the beginning is due: what keeps the order is
the internal descriptor that registration holds, not the notifications themselves.
"""

from bdevcheck.model.machine import declare

NOTIFICATION = declare(
    "notification",
    ["none", "due", "begun", "ended", "ended_without_beginning"],
    [
        ("owe", "none", "due"),
        ("send_register", "due", "begun"),
        ("send_unregister", "begun", "ended"),
        ("send_unregister", "due", "ended_without_beginning"),
        ("is_due", "due", "="),
        ("is_begun", "begun", "="),
        ("is_ended", ["ended", "ended_without_beginning"], "="),
        ("is_in_order", ["none", "due", "begun", "ended"], "="),
    ],
    resting=["none", "begun", "ended", "ended_without_beginning"],
    about="the notifications of a bdev: bdev_register, then bdev_unregister",
)
