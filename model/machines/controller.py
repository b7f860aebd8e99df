"""An NVMe controller and its attachment: connected, its namespaces found, their bdevs made.

Sources: LIFECYCLE 4.2 (bdev_nvme_attach_controller, bdev_nvme_start_discovery). Its bdevs are named
after it, one for each namespace.
"""

from bdevcheck.model.machine import declare

CONTROLLER = declare(
    "controller",
    ["absent", "connecting", "populating", "attached", "failed"],
    [
        ("connect", "absent", "connecting"),
        ("find_namespaces", "connecting", "populating"),
        ("finish", "populating", "attached"),
        ("fail", "connecting", "failed"),
        ("is_populating", "populating", "="),
        ("is_attached", "attached", "="),
    ],
    resting=["absent", "attached", "failed"],
    about="an NVMe controller: attached with the bdevs of its namespaces",
)
