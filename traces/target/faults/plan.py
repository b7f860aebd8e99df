"""Which faults there are, by name, and how each is planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bdevcheck.model import rule
from bdevcheck.model.rule import Rule
from bdevcheck.traces.target.faults import calls
from bdevcheck.traces.target.layer import Module

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: its name, the rule that it breaks, and what plants it.

    Those without `begin` are asked for by name where they show (`Settings.faults`).
    """

    name: str
    rule: Rule
    about: str
    begin: Callable[[Target], None] | None = None


REPLIES_TWICE = "replies-twice"
IGNORES_STATE = "ignores-state"
ACCEPTS_MALFORMED = "accepts-malformed"


def _deferred_never_fires(target: Target) -> None:
    """Let nobody look whether a bdev that registers is one that a stored record waits for."""
    target.layer.modules = [_deaf(module) for module in target.layer.modules]


def _deaf(module: Module) -> Module:
    return replace(module, examine_config=None)


def _claims_are_shared(target: Target) -> None:
    target.layer.planted.shares_claims = True


def _name_is_shared(target: Target) -> None:
    target.layer.planted.shares_names = True


def _base_goes_first(target: Target) -> None:
    target.layer.planted.forgets_holders = True


def _registered_twice(target: Target) -> None:
    target.layer.notifications.doubled = "bdev_register"


_ALL = (
    Fault(
        "create-replies-early",
        rule.CREATE_AFTER_REGISTER,
        "creates are answered 30 ms before they register",
        calls.create_replies_early,
    ),
    Fault(
        "deferred-never-fires",
        rule.DEFERRED_FIRES,
        "stored records are never looked at when a bdev registers",
        _deferred_never_fires,
    ),
    Fault(
        "create-names-another",
        rule.RESULT_NAMES_REGISTERED,
        "creates are answered with the name of a bdev that they did not make",
        calls.create_names_another,
    ),
    Fault(
        "error-leaves-effect",
        rule.ERROR_WITHOUT_EFFECT,
        "creates are refused, and register 30 ms later",
        calls.error_leaves_effect,
    ),
    Fault(
        "wait-ends-early",
        rule.WAIT_COVERS_EXAMINE,
        "bdev_wait_for_examine does not wait",
        calls.wait_ends_early,
    ),
    Fault(
        "delete-replies-early",
        rule.DELETE_AFTER_UNREGISTER,
        "deletes are answered when they begin, 30 ms before they end",
        calls.delete_replies_early,
    ),
    Fault(
        "registered-twice",
        rule.NOTIFICATION_ORDER,
        "each registration is notified twice",
        _registered_twice,
    ),
    Fault(
        "name-is-shared",
        rule.UNIQUE_NAMES,
        "creates of a name that is taken register a second bdev",
        _name_is_shared,
    ),
    Fault(
        "claims-are-shared",
        rule.CLAIM_EXCLUSION,
        "a claimed bdev can be claimed again, and opened for writing",
        _claims_are_shared,
    ),
    Fault(
        "raid-looks-unfinished",
        rule.RAID_CONSISTENCY,
        "raids that are online are said to be configuring",
        calls.raid_looks_unfinished,
    ),
    Fault(REPLIES_TWICE, rule.ONE_REPLY, "each reply is sent twice"),
    Fault(IGNORES_STATE, rule.STATE_GATING, "methods are carried out in every framework state"),
    Fault(
        ACCEPTS_MALFORMED,
        rule.MALFORMED_REQUEST,
        "parameters that a method does not have are passed over",
    ),
    Fault(
        "lookup-misses",
        rule.LOOKUP_CONSISTENCY,
        "every second look-up of a bdev that is there says that it is not",
        calls.lookup_misses,
    ),
    Fault(
        "base-goes-first",
        rule.REMOVAL_CASCADE,
        "a bdev that is deleted does not wait for what is stacked on it",
        _base_goes_first,
    ),
    Fault(
        "lvol-alias-is-lost",
        rule.LVOL_IDENTITY,
        "a new volume has no alias",
        calls.lvol_alias_is_lost,
    ),
    Fault(
        "deleted-returns",
        rule.NO_RESURRECTION,
        "a deleted bdev registers again of itself, 30 ms later",
        calls.deleted_returns,
    ),
    Fault(
        "rename-keeps-old-name",
        rule.RENAME,
        "the old alias of a renamed volume stays",
        calls.rename_keeps_old_name,
    ),
)
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
"""The planted faults by name, in the order of the rules."""


def plant(target: Target) -> None:
    """Plant the faults that the target was started with. Raises `KeyError` for an unknown name."""
    for name in sorted(target.settings.faults):
        begin = FAULTS[name].begin
        if begin is not None:
            begin(target)
