"""Vbdevs that are built from a stored record: at the create, or when their base appears.

Source: LIFECYCLE 4.4. Roles beside those of `contract`: `record` the record, `reference` how it
names its base, `listing` what a success lists, `part` the bdevs that one create makes, `label`
their names: `first` that of the first part (it tells where all parts are, for they leave in step;
the others' may be taken by somebody else meanwhile), `later` the others'.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.create import DEFERRAL, SENT
from bdevcheck.model.contract.delete import DELETE, LEAVE
from bdevcheck.model.contract.seen import ERROR_SEEN
from bdevcheck.model.rule import (
    CREATE_AFTER_REGISTER,
    DEFERRED_FIRES,
    DELETE_AFTER_UNREGISTER,
    ERROR_WITHOUT_EFFECT,
)

_TAKES = {"each base": "is_listed", "each claim": "claim_exclusive_write"}
_KNOWN = Clause("refused: there is a record of it", {"rpc": "serve_error", "record": "is_kept"})
_BASE_CLAIMED = {"rpc": "serve_error", "each base": "is_listed", "some claim": "is_claimed"}

_VBDEV_CREATE = (
    _KNOWN,
    Clause(
        "record stored, deferred: the base is missing",
        {"rpc": "serve_ok", "bdev": "defer", "record": "store", "some base": "is_unlisted"},
        tag=DEFERRAL,
    ),
    Clause(
        "registered and answered in one call",
        {"rpc": "serve_ok", "bdev": "appear", "name": "take", "record": "apply", **_TAKES},
    ),
    *SENT,
)

VBDEV_CREATE_KEEPING = (
    *_VBDEV_CREATE,
    Clause(
        "refused: the base is claimed; the record stays behind",
        {**_BASE_CLAIMED, "record": "leave_behind"},
    ),
)
"""bdev_passthru_create, bdev_delay_create: the record is stored first and never taken back."""

VBDEV_CREATE_TIDY = (
    *_VBDEV_CREATE,
    Clause(
        "refused: the base is claimed; the record is removed",
        {**_BASE_CLAIMED, "record": "take_back"},
    ),
)
"""bdev_crypto_create, bdev_zone_block_create, bdev_error_create: a failure removes the record."""

VBDEV_DELETE = (
    Clause(
        "unregistration started, record erased",
        {
            "rpc": "handle",
            "bdev": "unregister",
            "name": "leave",
            "record": "erase",
            "reference": "forget",
        },
    ),
    *(each for each in DELETE if each.events.get("bdev") not in ("unregister", "discard")),
)
"""Their deletes find the bdev by name, so that a deferred one cannot be deleted (-19)."""

VBDEV_LEAVE = (
    *(each for each in LEAVE if each.events["bdev"] != "destroy"),
    Clause(
        "destroyed, base released; the record stays",
        {"bdev": "destroy", "record": "lose_bdev", "each claim": "release"},
        forced=True,
    ),
    Clause(
        "destroyed, base released",
        {"bdev": "destroy", "record": "is_absent", "each claim": "release"},
        forced=True,
    ),
)
"""The way out, after a delete or when the base is removed: only a delete ends the record."""

_FOUND = {"name": "take", "reference": "matches", **_TAKES}

VBDEV_FIRE = (
    Clause("its base has come: registered", {"bdev": "arrive", "record": "fire", **_FOUND}),
    Clause(
        "its base has returned: registered again", {"bdev": "appear", "record": "fire", **_FOUND}
    ),
    Clause(
        "registered, although its create was refused: a record stayed behind",
        {"bdev": "appear", "record": "haunt", **_FOUND},
        breaks=ERROR_WITHOUT_EFFECT.name,
    ),
)
"""Examination of a new bdev finds the record (examine_config), inside the bdev's registration."""

VBDEV_PASSED_OVER = (
    Clause("no record waits", {"record": "is_not_waiting"}),
    Clause(
        "not found, for its record names an alias",
        {"record": "is_promised", "reference": "matches_not"},
        breaks=DEFERRED_FIRES.name,
    ),
    Clause(
        "its attempt is dropped, for the base is claimed",
        {"record": "is_promised", "reference": "matches", "some claim": "is_claimed"},
        breaks=DEFERRED_FIRES.name,
    ),
    Clause(
        "what a refused create left behind is not found, for it names an alias",
        {"record": "is_ghost", "reference": "matches_not"},
    ),
    Clause(
        "what a refused create left behind is dropped, for the base is claimed",
        {"record": "is_ghost", "reference": "matches", "some claim": "is_claimed"},
    ),
)
"""Why a record is not carried out when the examination of a new bdev ends."""

_BOTH = {"each part": "appear", "each label": "take"}

SPLIT_CREATE = (
    _KNOWN,
    Clause(
        "record stored, deferred with an empty list: the base is missing",
        {
            "rpc": "serve_ok",
            "each part": "defer",
            "record": "store",
            "some base": "is_unlisted",
            "listing": "list_nothing",
        },
        tag=DEFERRAL,
    ),
    Clause(
        "all parts registered and listed in one call",
        {"rpc": "serve_ok", **_BOTH, "record": "apply", "listing": "list_names", **_TAKES},
    ),
    Clause(
        "refused: the base is claimed; the record is removed",
        {**_BASE_CLAIMED, "record": "take_back"},
    ),
    Clause(
        "the target aborts: a later part's name is taken when the first part is registered",
        {
            "rpc": "handle",
            "each base": "is_listed",
            "each claim": "is_unclaimed",
            "some first": "take",
            "some later": "is_taken",
            "target": "abort",
        },
    ),
    Clause("success seen", {"rpc": "send_ok", "each part": "has_registered"}),
    Clause("success seen, deferred", {"rpc": "send_ok", "each part": "is_deferred"}),
    Clause(
        "success seen before registration",
        {"rpc": "send_ok", "some part": "is_unborn"},
        breaks=CREATE_AFTER_REGISTER.name,
    ),
    ERROR_SEEN,
)
"""bdev_split_create (LIFECYCLE 4.2, 4.4)."""

SPLIT_DELETE = (
    Clause("refused: there is no record of it", {"rpc": "serve_error", "record": "is_absent"}),
    Clause(
        "answered, unregistration of all parts only started",
        {
            "rpc": "serve_ok",
            "record": "is_kept",
            "each part": "unregister",
            "each label": "leave",
        },
    ),
    Clause(
        "answered, the deferred record is erased",
        {"rpc": "serve_ok", "record": "erase", "listing": "forget", "each part": "discard"},
    ),
    Clause(
        "answered, the parts are leaving already",
        {
            "rpc": "serve_ok",
            "record": "is_kept",
            "each part": "has_registered",
            "each first": "is_unlisted",
        },
    ),
    Clause("success seen", {"rpc": "send_ok", "each first": "is_free"}),
    Clause(
        "success seen while a part's name is still taken",
        {"rpc": "send_ok", "some first": "is_taken"},
        breaks=DELETE_AFTER_UNREGISTER.name,
    ),
    ERROR_SEEN,
)
"""bdev_split_delete, by the base's name: it waits for nothing (LIFECYCLE 4.2, 4.5)."""

SPLIT_LEAVE = (
    Clause(
        "unregistration of all parts started: the base is gone",
        {"each part": "unregister", "each label": "leave", "some base": "is_unlisted"},
    ),
    Clause("channels aborted", {"each part": "remove"}),
    Clause("unlisted", {"each part": "unlist", "each label": "release"}),
    Clause(
        "destroyed, base released, record erased",
        {
            "each part": "destroy",
            "record": "erase",
            "listing": "forget",
            "each claim": "release",
        },
    ),
)
"""The way out of all parts of a split, in step. The record goes with the last part, whatever the
reason (vbdev_split_base_free, module/bdev/split/vbdev_split.c of SPDK 3230130e6a), so that unlike
other vbdevs a split that has lost its base does not return with it; and a create is refused until
then (LIFECYCLE 4.2)."""

SPLIT_FIRE = (
    Clause(
        "its base has come: all parts registered",
        {"each part": "arrive", "each label": "take", "record": "fire", **_TAKES},
    ),
)
"""Examination of the split's base finds the record."""
