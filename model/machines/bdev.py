"""The life of one block device (bdev): one object, from allocation to destruction.

The owner's chain *allocated -> examining -> registered -> claimed* and the way out, with the side
states of creates that succeed without a device. Sources: LIFECYCLE 1.1, 1.2, 1.7, 4.4;
lib/bdev/bdev.c of SPDK v26.05 (bdev_register 8400, spdk_bdev_unregister 8715, bdev_unregister
8678, bdev_unregister_unsafe 8615).

Choices. SPDK has no status "examining" or "claimed": examining is a count per module, claimed a
field beside the status. Here *examining* is the bdev's own way to registration (metadata on its
bases is read, checked or written by the module that builds it), and *claimed* means that some
module holds it; which kind of claim is the claim machine's matter. Name tree and list are one
state: no yield separates them (LIFECYCLE 1.2, steps 7 and 8).
"""

from bdevcheck.model.machine import declare

_UNBORN = ("absent", "allocated", "examining", "stuck", "failed")
_LISTED = ("registered", "claimed")
_LEAVING = ("unregistering", "removing")
_BORN = (*_LISTED, *_LEAVING, "destructing", "offline", "gone")
_DEFERRED = ("deferred", "completing")
_UNREGISTERED = (*_UNBORN, *_DEFERRED, *_LEAVING, "destructing", "offline", "gone")
_AWAY = (*_UNBORN, *_DEFERRED, "offline", "gone")
_NAMELESS = (*_AWAY, "destructing")
BDEV = declare(
    "bdev",
    [
        "absent",
        "allocated",
        "examining",
        "deferred",
        "completing",
        "registered",
        "claimed",
        "unregistering",
        "removing",
        "destructing",
        "offline",
        "stuck",
        "failed",
        "gone",
    ],
    [
        # The way in. `appear` is allocation and registration in one call (methods of class S).
        ("allocate", ["absent", "failed", "gone"], "allocated"),
        ("appear", ["absent", "failed", "gone"], "registered"),
        ("examine", "allocated", "examining"),
        ("register", ["allocated", "examining", "completing"], "registered"),
        ("fail", ["allocated", "examining", "completing"], "failed"),
        ("get_stuck", ["allocated", "examining", "completing"], "stuck"),
        # A stored record waits for its base; a raid's members may still have to be written then.
        ("defer", ["absent", "failed", "gone"], "deferred"),
        ("complete", "deferred", "completing"),
        ("arrive", "deferred", "registered"),
        # Examination of its bases builds it again, without a request.
        ("assemble", ["absent", "failed", "gone"], "completing"),
        # Claims.
        ("claim", "registered", "claimed"),
        ("release", "claimed", "registered"),
        # The way out; a claim never blocks it.
        ("unregister", _LISTED, "unregistering"),
        ("remove", "unregistering", "removing"),
        ("unlist", "removing", "destructing"),
        ("destroy", "destructing", "gone"),
        ("go_offline", "destructing", "offline"),
        ("discard", ["deferred", "offline"], "gone"),
        ("discard", "stuck", "failed"),
        # Tests: what others may ask.
        ("is_registered", _LISTED, "="),
        ("is_unregistered", _UNREGISTERED, "="),
        ("has_registered", _BORN, "="),
        ("is_unborn", _UNBORN, "="),
        ("is_deferred", _DEFERRED, "="),
        ("is_nameless", _NAMELESS, "="),
        ("is_away", _AWAY, "="),
        ("is_stuck", "stuck", "="),
        ("is_over", ["absent", "failed", "gone"], "="),
        ("is_settled", ["failed", *_BORN], "="),
    ],
    resting=["absent", "deferred", "registered", "claimed", "offline", "failed", "gone"],
    about="a block device: one object from allocation to destruction",
)
