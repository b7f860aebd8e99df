"""Creates by name and uuid, which live in one tree (LIFECYCLE 1.2 steps 3 and 7, 1.8).

Roles: `name` the bdev's name, `alias` its uuid; a bdev that is named by its uuid has no alias.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

CREATE_WITH_UUID = (
    Clause("refused: the uuid is taken", {"rpc": "serve_error", "alias": "is_taken"}),
    Clause(
        "refused: the name is taken, the uuid is given back",
        {"rpc": "serve_error", "name": "is_taken", "alias": "is_free"},
        needs={"uuid_alias_leak_on_register_fail": False},
    ),
    Clause(
        "refused: the name is taken, the uuid stays in the tree",
        {"rpc": "serve_error", "name": "is_taken", "alias": "leak"},
        needs={"uuid_alias_leak_on_register_fail": True},
    ),
    Clause(
        "registered under its name and uuid",
        {"rpc": "serve_ok", "bdev": "appear", "name": "take", "alias": "take"},
    ),
    *SEEN,
)
"""A create that gives a uuid: it is entered first, then the name."""

CREATE_BY_UUID = (
    Clause("refused: the uuid is taken", {"rpc": "serve_error", "name": "is_taken"}),
    Clause("registered under its uuid", {"rpc": "serve_ok", "bdev": "appear", "name": "take"}),
    *SEEN,
)
"""A create of a bdev that is named by its uuid, as volumes are."""

DELETE_WITH_UUID = (
    Clause(
        "unregistration started",
        {"rpc": "handle", "bdev": "unregister", "name": "leave", "alias": "leave"},
    ),
    Clause("destroyed, reply queued", {"rpc": "queue_ok", "bdev": "destroy"}),
    *SEEN,
)
"""A delete: name and uuid become invisible together."""

LEAVE_WITH_UUID = (
    Clause("channels aborted", {"bdev": "remove"}),
    Clause("unlisted", {"bdev": "unlist", "name": "release", "alias": "release"}),
)
"""The way out: name and uuid are free together."""
