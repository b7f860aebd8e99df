"""One name in the bdev layer's name tree: who can be found by it.

Sources: LIFECYCLE 1.2 steps 7 and 8, 1.7; bdev_name_add (lib/bdev/bdev.c of SPDK v26.05). Between
the start of unregistration and its end a bdev is invisible, but its name is still taken. An alias
that a rename takes away is dropped at once (LIFECYCLE 5.2).
"""

from bdevcheck.model.machine import declare

NAME = declare(
    "name",
    ["free", "listed", "leaving"],
    [
        ("take", "free", "listed"),
        ("leave", "listed", "leaving"),
        ("release", "leaving", "free"),
        ("drop", "listed", "free"),
        ("is_listed", "listed", "="),
        ("is_unlisted", ["free", "leaving"], "="),
        ("is_free", "free", "="),
        ("is_taken", ["listed", "leaving"], "="),
    ],
    resting=["free", "listed"],
    about="a name in the bdev layer's name tree",
)
