"""What the success of a create lists: the names of its new bdevs, or nothing.

Source: LIFECYCLE 4.2: bdev_split_create answers ``[]`` when the base is missing.
"""

from bdevcheck.model.machine import declare

_SAID = ("names", "nothing")

LISTING = declare(
    "listing",
    ["unsaid", *_SAID],
    [
        ("list_names", "unsaid", "names"),
        ("list_nothing", "unsaid", "nothing"),
        ("forget", _SAID, "unsaid"),
    ],
    about="what the success of a create lists",
)
