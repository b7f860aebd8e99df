"""A discovery service: it reads a log page and attaches the controllers that are listed there.

Sources: LIFECYCLE 4.2 (bdev_nvme_start_discovery), 4.5 (E3), 9.7 (L1); 81587f0663 and 0bd7ace836 of
SPDK. A log page that lists nothing starts no attachment, and so none ends: who waits for the first
attachments waits until the page changes and is read again.
"""

from bdevcheck.model.machine import declare

DISCOVERY = declare(
    "discovery",
    ["absent", "reading", "found_nothing", "attaching", "attached"],
    [
        ("start", "absent", "reading"),
        ("find_nothing", "reading", "found_nothing"),
        ("find", "reading", "attaching"),
        ("read_again", "found_nothing", "reading"),
        ("finish", "attaching", "attached"),
        ("is_attached", "attached", "="),
    ],
    resting=["absent", "found_nothing", "attached"],
    about="a discovery service: its log page is read, what it lists is attached",
)
