"""Rules: what SPDK promises, by name, with what to say when one is broken.

The names are the same in code, output, corpus and documents. Sources: LIFECYCLE 9.6 (safety) and
9.7 (endings).
"""

from __future__ import annotations

from bdevcheck.model.rule.bdevs import (
    CLAIM_EXCLUSION,
    DELETE_AFTER_UNREGISTER,
    LOOKUP_CONSISTENCY,
    NO_RESURRECTION,
    NOTIFICATION_ORDER,
    REMOVAL_CASCADE,
    UNIQUE_NAMES,
    WAIT_COVERS_EXAMINE,
)
from bdevcheck.model.rule.creates import (
    CREATE_AFTER_REGISTER,
    DEFERRED_FIRES,
    ERROR_WITHOUT_EFFECT,
    RESULT_NAMES_REGISTERED,
)
from bdevcheck.model.rule.endings import (
    ANSWERED,
    NOTIFIED,
    REBUILD_FINISHES,
    SLOTS_RECLAIMED,
    UNREGISTER_FINISHES,
)
from bdevcheck.model.rule.form import Rule
from bdevcheck.model.rule.modules import (
    LVOL_IDENTITY,
    RAID_CONSISTENCY,
    RENAME,
)
from bdevcheck.model.rule.requests import (
    MALFORMED_REQUEST,
    ONE_REPLY,
    STATE_GATING,
)

__all__ = [
    "ANSWERED",
    "CLAIM_EXCLUSION",
    "CREATE_AFTER_REGISTER",
    "DEFERRED_FIRES",
    "DELETE_AFTER_UNREGISTER",
    "ERROR_WITHOUT_EFFECT",
    "JUDGED",
    "LOOKUP_CONSISTENCY",
    "LVOL_IDENTITY",
    "MALFORMED_REQUEST",
    "NOTIFICATION_ORDER",
    "NOTIFIED",
    "NO_RESURRECTION",
    "ONE_REPLY",
    "RAID_CONSISTENCY",
    "REBUILD_FINISHES",
    "REMOVAL_CASCADE",
    "RENAME",
    "RESULT_NAMES_REGISTERED",
    "RULES",
    "SLOTS_RECLAIMED",
    "STATE_GATING",
    "UNIQUE_NAMES",
    "UNREGISTER_FINISHES",
    "WAIT_COVERS_EXAMINE",
    "Rule",
]

RULES: dict[str, Rule] = {
    each.name: each
    for each in (
        CREATE_AFTER_REGISTER,
        DEFERRED_FIRES,
        RESULT_NAMES_REGISTERED,
        ERROR_WITHOUT_EFFECT,
        WAIT_COVERS_EXAMINE,
        LOOKUP_CONSISTENCY,
        DELETE_AFTER_UNREGISTER,
        NOTIFICATION_ORDER,
        UNIQUE_NAMES,
        CLAIM_EXCLUSION,
        RAID_CONSISTENCY,
        ONE_REPLY,
        STATE_GATING,
        MALFORMED_REQUEST,
        REMOVAL_CASCADE,
        LVOL_IDENTITY,
        NO_RESURRECTION,
        RENAME,
        ANSWERED,
        NOTIFIED,
        UNREGISTER_FINISHES,
        SLOTS_RECLAIMED,
        REBUILD_FINISHES,
    )
}
"""All rules by name, in order of report."""

JUDGED: dict[str, Rule] = {
    name: each for name, each in RULES.items() if each.headline or each.open_ended
}
"""The rules that traces are judged by."""
