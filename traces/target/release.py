"""Which version of SPDK a variant stands for, where only the version tells what replies hold."""

from __future__ import annotations

from bdevcheck.model.variant import STANDS_FOR, VERSIONS, Variant

_ORDER = list(VERSIONS)


def is_since(variant: Variant, version: str) -> bool:
    """Tell whether the version that a variant stands for is `version` or a later one.

    >>> from bdevcheck.model.variant import VARIANTS
    >>> is_since(VARIANTS["fixed"], "v26.05"), is_since(VARIANTS["modern"], "v26.05")
    (False, True)
    """
    return _ORDER.index(STANDS_FOR[variant.name]) >= _ORDER.index(version)
