"""What a version of SPDK offers, beside what it does: methods, log flags, notifications."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec

from bdevcheck.model.variant import VERSIONS, Variant


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version's offer, each list in the target's own order.

    `methods` are all; `both` may be called in both framework states, `startup` before the
    initialisation only, and the rest after it only. `options` are what the
    setters of options stand at, by method.
    """

    methods: Sequence[str]
    both: frozenset[str]
    startup: frozenset[str]
    flags: Sequence[str]
    notifications: Sequence[str]
    options: Mapping[str, Mapping[str, object]]

    def allowed(self, *, runtime: bool) -> list[str]:
        """Return the methods that may be called in a framework state."""
        if runtime:
            return [name for name in self.methods if name not in self.startup]
        return [name for name in self.methods if name in self.startup or name in self.both]


@cache
def _offers() -> Mapping[str, Offer]:
    text = files("bdevcheck.traces.target").joinpath("offers.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Offer])


@cache
def offer_of(variant: Variant) -> Offer:
    """Return what the version that a variant stands for offers: that of the last one known before.

    >>> from bdevcheck.model.variant import VARIANTS
    >>> len(offer_of(VARIANTS["modern"]).methods)
    230
    """
    order = list(VERSIONS)
    wanted = order.index(variant.version)
    known = [version for version in _offers() if order.index(version) <= wanted]
    return _offers()[max(known, key=order.index)]
