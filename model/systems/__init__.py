"""Systems: compositions of the life cycles that are explored, by name."""

from collections.abc import Callable
from functools import partial

from bdevcheck.model.compose import System
from bdevcheck.model.systems.batch import batch
from bdevcheck.model.systems.bounds import Bounds
from bdevcheck.model.systems.claims import claims
from bdevcheck.model.systems.compress import compress
from bdevcheck.model.systems.config_load import config_load, config_load_deferred
from bdevcheck.model.systems.connections import connections
from bdevcheck.model.systems.deferred import deferred, deferred_tidy
from bdevcheck.model.systems.deferred_split import deferred_split
from bdevcheck.model.systems.delete_races import delete_races
from bdevcheck.model.systems.discovery import discovery
from bdevcheck.model.systems.early_deletes import early_deletes
from bdevcheck.model.systems.fail_over import fail_over, raid_deleted
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.systems.locked_ranges import locked_ranges
from bdevcheck.model.systems.lvol_changes import lvol_changes
from bdevcheck.model.systems.lvol_degraded import lvol_degraded
from bdevcheck.model.systems.lvols import lvol_snapshots, lvols
from bdevcheck.model.systems.manual_examine import manual_examine
from bdevcheck.model.systems.members import members, members_striped
from bdevcheck.model.systems.most_general import most_general, most_general_deferred
from bdevcheck.model.systems.names import names
from bdevcheck.model.systems.notifications import notifications, notifications_out_of_memory
from bdevcheck.model.systems.pipelining import pipelining
from bdevcheck.model.systems.raid_deletes import raid_deletes
from bdevcheck.model.systems.raid_failures import raid_failures, raid_failures_plain
from bdevcheck.model.systems.startup_gating import startup_gating
from bdevcheck.model.variant import Variant

SYSTEMS: dict[str, Callable[[Variant], System]] = {
    "issue-3413": issue_3413,
    "most-general": most_general,
    "most-general-deferred": most_general_deferred,
    "startup-gating": startup_gating,
    "connections": connections,
    "pipelining": pipelining,
    "batch": batch,
    "discovery": discovery,
    "claims": claims,
    "delete-races": delete_races,
    "early-deletes": early_deletes,
    "locked-ranges": locked_ranges,
    "raid-deletes": raid_deletes,
    "notifications": notifications,
    "notifications-out-of-memory": notifications_out_of_memory,
    "names": names,
    "manual-examine": manual_examine,
    "config-load": config_load,
    "config-load-deferred": config_load_deferred,
    "fail-over": fail_over,
    "raid-deleted": raid_deleted,
    "lvols": lvols,
    "lvol-snapshots": lvol_snapshots,
    "lvol-changes": lvol_changes,
    "lvol-degraded": lvol_degraded,
    "deferred": deferred,
    "deferred-tidy": deferred_tidy,
    "deferred-split": deferred_split,
    "raid-failures": raid_failures,
    "raid-failures-plain": raid_failures_plain,
    "compress": compress,
    "members": members,
    "members-striped": members_striped,
}
"""System builders by name, each a function of the variant."""

_LARGER = (
    (most_general, Bounds(bases=3)),
    (most_general_deferred, Bounds(bases=3)),
    (most_general, Bounds(connections=3)),
    (most_general_deferred, Bounds(connections=3)),
    (most_general, Bounds(connections=3, bases=3)),
    (most_general_deferred, Bounds(connections=3, bases=3)),
)

LARGE_SYSTEMS: dict[str, Callable[[Variant], System]] = {
    build.__name__.replace("_", "-") + bounds.suffix: partial(build, bounds=bounds)
    for build, bounds in _LARGER
}
"""Most general clients in larger bounds, by name: 0.2 to 26 million states in `modern`. They are
for the packed engine, which keeps no graph."""
