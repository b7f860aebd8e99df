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
    raid_sb_examine_covered_by_wait: bool
    """bdev_wait_for_examine waits for a raid that examination assembles from superblocks."""
    raid_nosb_deferred_sb_uncovered: bool
    """It does not wait for a deferred raid whose superblock is written when its base comes."""
    compress_create_early_reply: bool
    """bdev_compress_create answers before its volume is initialised."""
    rpc_halfclose_drops_async: bool
    """Replies completed after a half close are dropped."""
    rpc_batch: bool
    """Arrays of requests are carried out."""

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


VARIANTS: dict[str, Variant] = {
    each.name: each
    for each in (
        _variant(
            "buggy",
            "SPDK v24.05 up to d005e023bd: before the fix of issue 3413",
            true="raid_create_early_reply raid_create_swallows_errors "
            "raid_nosb_deferred_sb_uncovered compress_create_early_reply",
        ),
        _variant(
            "fix-commit",
            "SPDK 5558f3f502: the fix of issue 3413 alone",
            true="raid_nosb_deferred_sb_uncovered compress_create_early_reply",
        ),
        _variant(
            "fixed",
            "SPDK v24.09 and v25.05",
            true="raid_sb_examine_covered_by_wait raid_nosb_deferred_sb_uncovered",
        ),
        _variant(
            "modern",
            "SPDK v26.05",
            true="raid_sb_examine_covered_by_wait raid_nosb_deferred_sb_uncovered "
            "rpc_halfclose_drops_async rpc_batch",
        ),
    )
}
"""The bundles by name, oldest first."""
