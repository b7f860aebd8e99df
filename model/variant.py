"""Variants: what a version of SPDK does, as parameters; bundles name the versions.

Source: LIFECYCLE 9.5 (read from five revisions, confirmed on three built targets). What SPDK does
(variant) is kept apart from what it should do (rules): even `modern` breaks some rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Variant:
    """One bundle of parameters; each says what a version does, not what it should do."""

    name: str
    about: str
    raid_create_early_reply: bool
    """bdev_raid_create with a superblock answers when the superblock write has started."""
    raid_create_swallows_errors: bool
    """A failed superblock write or registration is answered with success; the raid is stuck."""
    raid_fail_uaf: bool
    """A failed raid create still writes into the raid that it has freed."""
    raid_sb_examine_covered_by_wait: bool
    """bdev_wait_for_examine waits for a raid that examination assembles from superblocks."""
    raid_nosb_deferred_sb_uncovered: bool
    """It does not wait for a deferred raid whose superblock is written when its base comes."""
    raid_delete_during_sbwrite_crash: bool
    """Deleting a raid, or a base of it, while its superblock is written ends the target."""
    raid_clear_sb: bool
    """Superblocks are cleared after a failed raid create, and by bdev_raid_delete if asked."""
    compress_create_early_reply: bool
    """bdev_compress_create answers before its volume is initialised."""
    register_open_race: bool
    """A bdev's name can be found before its I/O device is ready (v24.05, on other threads)."""
    register_checks_thread: bool
    """Registering on a wrong thread is refused with -22; otherwise it is asserted against."""
    examine_needs_read: bool
    """A bdev that cannot be read is not examined."""
    allowlist_removed_on_unregister: bool
    """bdev_examine's note of a name is dropped when the bdev of that name goes."""
    uuid_alias_leak_on_register_fail: bool
    """A registration that fails on its name leaves its uuid taken for ever."""
    notify_resize: bool
    """A change of size is notified."""
    unregister_waits_locked_ranges: bool
    """Unregistration waits until no range of the bdev is locked."""
    rpc_batch: bool
    """Arrays of requests are carried out."""
    rpc_notification_partial_output: bool
    """A request without an id is answered with half a reply, which spoils the stream."""
    rpc_halfclose_drops_async: bool
    """Replies completed after a half close are dropped."""
    rpc_conn_slot_leak: bool
    """A connection reset while a request is pending never gives its slot back."""
    rpc_large_requests: bool
    """A request may have 256 KiB and 8192 values instead of 32 KiB and 1024."""
    rpc_log_long_line_garbage: bool
    """Lines of the RPC log beyond 1024 bytes are rubbish."""
    rpc_deprecated_aliases: bool
    """Eight old method names are still understood."""

    def parameters(self) -> dict[str, bool]:
        """Return the parameters by name."""
        return {key: value for key, value in asdict(self).items() if isinstance(value, bool)}

    def has(self, needs: Mapping[str, bool]) -> bool:
        """Tell whether this variant has all parameter values that `needs` asks for."""
        return all(getattr(self, name) is value for name, value in needs.items())


def _variant(name: str, about: str, *, true: str = "") -> Variant:
    on = set(true.split())
    names = [field for field in Variant.__annotations__ if field not in {"name", "about"}]
    unknown = on - set(names)
    if unknown:
        raise ValueError(f"{name}: unknown parameters {sorted(unknown)}; there are {names}")
    return Variant(name, about, **{each: each in on for each in names})


_ALWAYS = "raid_nosb_deferred_sb_uncovered raid_delete_during_sbwrite_crash rpc_conn_slot_leak "
_UP_TO_V25_05 = (
    "register_checks_thread uuid_alias_leak_on_register_fail rpc_notification_partial_output "
    "rpc_deprecated_aliases "
)
_UP_TO_THE_FIX = "compress_create_early_reply rpc_log_long_line_garbage "

VARIANTS: dict[str, Variant] = {
    each.name: each
    for each in (
        _variant(
            "buggy",
            "SPDK v24.05 up to d005e023bd: before the fix of issue 3413",
            true=_ALWAYS
            + _UP_TO_V25_05
            + _UP_TO_THE_FIX
            + "raid_create_early_reply raid_create_swallows_errors",
        ),
        _variant(
            "fix-commit",
            "SPDK 5558f3f502: the fix of issue 3413 alone",
            true=_ALWAYS + _UP_TO_V25_05 + _UP_TO_THE_FIX + "raid_fail_uaf",
        ),
        _variant(
            "fixed",
            "SPDK v24.09 and v25.05",
            true=_ALWAYS
            + _UP_TO_V25_05
            + "raid_fail_uaf raid_sb_examine_covered_by_wait examine_needs_read",
        ),
        _variant(
            "modern",
            "SPDK v26.05",
            true=_ALWAYS + "raid_sb_examine_covered_by_wait raid_clear_sb examine_needs_read "
            "allowlist_removed_on_unregister notify_resize unregister_waits_locked_ranges "
            "rpc_batch rpc_halfclose_drops_async rpc_large_requests",
        ),
    )
}
"""The bundles by name, oldest first. Where v24.09 and v25.05 differ (the allowlist), `fixed` is
v24.09; `variant_of("fixed", {"allowlist_removed_on_unregister": True})` is v25.05."""


def variant_of(bundle: str, settings: Mapping[str, bool]) -> Variant:
    """Return a bundle with single parameters set otherwise.

    Raises `ValueError` for an unknown bundle or parameter.

    >>> variant_of("fixed", {"raid_sb_examine_covered_by_wait": False}).name
    'fixed -raid_sb_examine_covered_by_wait'
    """
    if bundle not in VARIANTS:
        raise ValueError(f"no variant {bundle!r}; there are: {', '.join(VARIANTS)}")
    base = VARIANTS[bundle]
    known = base.parameters()
    for name in settings:
        if name not in known:
            raise ValueError(f"no parameter {name!r}; there are: {', '.join(known)}")
    changed = {name: value for name, value in settings.items() if known[name] is not value}
    marks = "".join(f" {'+' if value else '-'}{name}" for name, value in changed.items())
    return Variant(base.name + marks, base.about, **known | changed)
