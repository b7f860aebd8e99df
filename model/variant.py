"""Variants: what a version of SPDK does, as parameters; bundles name the versions.

Source: LIFECYCLE 9.5 (read from five revisions, confirmed on three built targets). What SPDK does
(variant) is kept apart from what it should do (rules): even `modern` breaks some rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, get_type_hints


@dataclass(frozen=True, slots=True)
class Variant:
    """One bundle of parameters; each says what a version does, not what it should do."""

    name: str
    about: str
    raid_create_early_reply: Annotated[
        bool, "bdev_raid_create with a superblock answers when the superblock write has started."
    ]
    raid_create_swallows_errors: Annotated[
        bool,
        "A failed superblock write or registration is answered with success; the raid is stuck.",
    ]
    raid_fail_uaf: Annotated[
        bool, "A failed raid create still writes into the raid that it has freed."
    ]
    raid_sb_examine_covered_by_wait: Annotated[
        bool, "bdev_wait_for_examine waits for a raid that examination assembles from superblocks."
    ]
    raid_nosb_deferred_sb_uncovered: Annotated[
        bool,
        "bdev_wait_for_examine does not wait while a deferred raid with superblock is completed.",
    ]
    raid_delete_during_sbwrite_crash: Annotated[
        bool, "Deleting a raid, or a base of it, while its superblock is written ends the target."
    ]
    raid_clear_sb: Annotated[
        bool,
        "Superblocks are cleared after a failed raid create, and by bdev_raid_delete if asked.",
    ]
    compress_create_early_reply: Annotated[
        bool, "bdev_compress_create answers before its volume is initialised."
    ]
    register_open_race: Annotated[
        bool,
        "A bdev's name can be found before its I/O device is ready (v24.05, on other threads).",
    ]
    register_checks_thread: Annotated[
        bool, "Registering on a wrong thread is refused with -22; otherwise it is asserted against."
    ]
    examine_needs_read: Annotated[bool, "A bdev that cannot be read is not examined."]
    allowlist_removed_on_unregister: Annotated[
        bool, "bdev_examine's note of a name is dropped when the bdev of that name goes."
    ]
    uuid_alias_leak_on_register_fail: Annotated[
        bool, "A registration that fails on its name leaves its uuid taken for ever."
    ]
    notify_resize: Annotated[bool, "A change of size is notified."]
    unregister_waits_locked_ranges: Annotated[
        bool, "Unregistration waits until no range of the bdev is locked."
    ]
    rpc_batch: Annotated[bool, "Arrays of requests are carried out."]
    rpc_notification_partial_output: Annotated[
        bool, "A request without an id is answered with half a reply, which spoils the stream."
    ]
    rpc_halfclose_drops_async: Annotated[bool, "Replies completed after a half close are dropped."]
    rpc_conn_slot_leak: Annotated[
        bool, "A connection reset while a request is pending never gives its slot back."
    ]
    rpc_large_requests: Annotated[
        bool, "A request may have 256 KiB and 8192 values instead of 32 KiB and 1024."
    ]
    rpc_log_long_line_garbage: Annotated[
        bool, "Lines of the RPC log beyond 1024 bytes are rubbish."
    ]
    rpc_deprecated_aliases: Annotated[bool, "Eight old method names are still understood."]

    @property
    def version(self) -> str:
        """Return the version of SPDK that the bundle stands for, parameters changed or not."""
        return STANDS_FOR[self.name.split(" ")[0]]

    def parameters(self) -> dict[str, bool]:
        """Return the parameters by name."""
        return {key: value for key, value in asdict(self).items() if isinstance(value, bool)}

    def has(self, needs: Mapping[str, bool]) -> bool:
        """Tell whether this variant has all parameter values that `needs` asks for."""
        return all(getattr(self, name) is value for name, value in needs.items())


PARAMETERS: dict[str, str] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Variant, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}
"""What each parameter says of a version, by its name, in declared order."""


def _variant(name: str, about: str, *, true: str = "") -> Variant:
    on = set(true.split())
    unknown = on - set(PARAMETERS)
    if unknown:
        raise ValueError(
            f"{name}: unknown parameters {sorted(unknown)}; there are {list(PARAMETERS)}"
        )
    return Variant(name, about, **{each: each in on for each in PARAMETERS})


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

VERSIONS: dict[str, str] = {
    "v24.05": "buggy",
    "d005e023bd": "buggy",
    "5558f3f502": "fix-commit",
    "v24.09": "fixed",
    "v25.05": "fixed",
    "v26.05": "modern",
}
"""The versions of SPDK that were read, oldest first, and the bundle that says what each does."""

STANDS_FOR: dict[str, str] = {
    "buggy": "d005e023bd",
    "fix-commit": "5558f3f502",
    "fixed": "v24.09",
    "modern": "v26.05",
}
"""The version that a bundle stands for, where its versions differ."""


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
