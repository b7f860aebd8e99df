"""NVMe: attachment of a controller, and discovery (LIFECYCLE 4.2, 4.4, 4.5).

Roles: `rpc` the request, `controller` the controller, `bdev` and `name` the bdev of one namespace,
`examine` its examination, `discovery` the service. `NAMESPACES` is bound once for each namespace,
and `left_out` in `NVME_LEAVES_OUT`; the rest to all of them.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import ERROR_WITHOUT_EFFECT, RESULT_NAMES_REGISTERED

CONNECT = (
    Clause(
        "connected, namespaces found", {"controller": "find_namespaces", "each bdev": "allocate"}
    ),
    Clause("its namespaces are dealt with", {"controller": "finish", "each bdev": "is_settled"}),
)
"""How a controller is attached, by request or by discovery."""

NAMESPACES = (
    Clause(
        "registered",
        {
            "controller": "is_populating",
            "bdev": "register",
            "name": "take",
            "examine": "start",
        },
    ),
    Clause(
        "registration failed: the name is taken",
        {"controller": "is_populating", "bdev": "fail", "name": "is_taken"},
    ),
)
"""What becomes of one namespace. A failure is logged and goes no further."""

_QUIET = {"controller": "is_attached", "each examine": "is_idle"}

NVME_ATTACH = (
    Clause("started", {"rpc": "handle", "controller": "connect"}),
    Clause(
        "connecting failed, error queued (-5)",
        {"rpc": "queue_error", "controller": "fail"},
        failure=True,
    ),
    Clause("success seen", {"rpc": "send_ok", "each bdev": "has_registered"}),
    Clause("error seen", {"rpc": "send_error", "each bdev": "is_unborn"}),
)
"""bdev_nvme_attach_controller (class AX), but for its answer: `NVME_LEAVES_OUT`, and one of the
two after it."""

NVME_LEAVES_OUT = (
    Clause(
        "left out of the reply that is queued",
        {"rpc": "queue_ok", **_QUIET, "left_out": "is_unborn"},
    ),
    Clause(
        "missing from the success seen, for its registration failed",
        {"rpc": "send_ok", "left_out": "is_unborn"},
        breaks=RESULT_NAMES_REGISTERED.name,
    ),
)
"""The answer where the registration of the bdev `left_out` failed."""

NVME_LISTS_ALL = (
    Clause("reply queued", {"rpc": "queue_ok", **_QUIET, "each bdev": "has_registered"}),
)
"""The answer where the reply can list them all."""

NVME_LISTS_TOO_FEW = (
    Clause(
        "error queued: more bdevs than max_bdevs (-34)",
        {"rpc": "queue_error", **_QUIET, "each bdev": "has_registered"},
    ),
    Clause(
        "error seen, but its bdevs are registered",
        {"rpc": "send_error", "each bdev": "has_registered"},
        breaks=ERROR_WITHOUT_EFFECT.name,
    ),
)
"""The answer where `max_bdevs` is less than there are."""

DISCOVERY_START = (
    Clause("answered at initiation", {"rpc": "serve_ok", "discovery": "start"}),
    Clause("reply seen", {"rpc": "send_ok"}),
)
"""bdev_nvme_start_discovery as it is by default: what it attaches comes later (class I)."""

DISCOVERY_START_AND_WAIT = (
    Clause("started", {"rpc": "handle", "discovery": "start"}),
    Clause("first attachments over, reply queued", {"rpc": "queue_ok", "discovery": "is_attached"}),
    Clause("reply seen", {"rpc": "send_ok"}),
)
"""The same with wait_for_attach: nobody asks whether they succeeded, nor waits for examination."""

DISCOVER = (
    Clause("log page read, it lists nothing", {"discovery": "find_nothing"}),
    Clause("log page read, a subsystem found", {"discovery": "find", "controller": "connect"}),
    Clause("attachment over", {"discovery": "finish", "controller": "is_attached"}),
    Clause("attachment failed", {"discovery": "finish", "controller": "fail"}, failure=True),
)
"""What a discovery service does by itself."""
