"""An alias in the bdev layer's name tree, such as a uuid: a name that a failed create may leak.

Sources: LIFECYCLE 1.2 steps 3 and 7, 1.8; bdev_register (lib/bdev/bdev.c:8400 of SPDK v26.05) and
the same of v25.05, which leaves the alias in the tree when the name is taken. Names and aliases
live in one tree: the rows of a name hold here too, and a bdev may be called by the text of a uuid.
"""

from bdevcheck.model.machine import declare
from bdevcheck.model.machines.name import NAME

ALIAS = declare(
    "alias",
    [*NAME.states, "leaked"],
    [
        *NAME.rows,
        ("leak", "free", "leaked"),
        ("is_taken", "leaked", "="),
        ("is_leaked", "leaked", "="),
    ],
    resting=[*NAME.resting, "leaked"],
    about="an alias in the bdev layer's name tree, which may belong to no bdev at all",
)
