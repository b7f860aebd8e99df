"""What the framework's state does to requests: methods' masks, and framework_start_init itself.

Sources: LIFECYCLE 2.3, 2.8; lib/event/app.c:1578-1640, lib/rpc/rpc.c:103-140 of SPDK v26.05. Roles:
`rpc` the request, `framework` the framework. A refusal has the code -1 and does nothing.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause

_SEEN = (
    Clause("reply sent", {"rpc": "send_ok", "framework": "sends"}),
    Clause("error sent", {"rpc": "send_error", "framework": "sends"}),
)

STARTUP_ONLY = (
    Clause("carried out", {"rpc": "serve_ok", "framework": "allows_startup"}),
    Clause(
        "refused: only before framework_start_init (-1)",
        {"rpc": "serve_error", "framework": "refuses_startup"},
    ),
    *_SEEN,
)
"""A method that is made for STARTUP alone."""

RUNTIME_ONLY = (
    Clause("carried out", {"rpc": "serve_ok", "framework": "allows_runtime"}),
    Clause(
        "refused: only after framework_start_init (-1)",
        {"rpc": "serve_error", "framework": "refuses_runtime"},
    ),
    *_SEEN,
)
"""A method that is made for RUNTIME alone: every one that creates, deletes or lists bdevs."""

EITHER_STATE = (Clause("carried out", {"rpc": "serve_ok"}), *_SEEN)
"""A method that is made for both states."""

GATES: dict[str, tuple[Clause, ...]] = {
    "startup": STARTUP_ONLY,
    "runtime": RUNTIME_ONLY,
    "both": EITHER_STATE,
}
"""What the framework's state does to a method, by the column `states` of the catalogue."""

START_INIT = (
    Clause(
        "initialisation starts, the server pauses", {"rpc": "handle", "framework": "start_init"}
    ),
    Clause(
        "refused: only before framework_start_init (-1)",
        {"rpc": "serve_error", "framework": "refuses_startup"},
    ),
    Clause("initialised, reply queued", {"rpc": "queue_ok", "framework": "finish_init"}),
    Clause(
        "initialisation failed, error queued (-32603)",
        {"rpc": "queue_error", "framework": "fail_init"},
        failure=True,
    ),
    *_SEEN,
)
"""framework_start_init: the server is paused from its handler to the end of initialisation."""

WAIT_INIT = (
    Clause(
        "answered at once: it is initialised", {"rpc": "serve_ok", "framework": "allows_runtime"}
    ),
    Clause("waits for initialisation", {"rpc": "handle", "framework": "refuses_runtime"}),
    Clause("initialised, reply queued", {"rpc": "queue_ok", "framework": "allows_runtime"}),
    *_SEEN,
)
"""framework_wait_init: in RUNTIME at once, otherwise by a poller."""

STARTING: dict[str, tuple[Clause, ...]] = {"start-init": START_INIT, "wait-init": WAIT_INIT}
"""The methods that are about the framework's start, by the column `contract` of the catalogue."""
