"""What only the version of SPDK tells, and no parameter of a variant."""

from __future__ import annotations

from collections.abc import Mapping

from bdevcheck.model.variant import VERSIONS, Variant

_ORDER = list(VERSIONS)
COMMITS = {"v24.09": "19524ad453", "v25.05": "665a10525b", "v26.05": "d519b163cb"}
"""The first digits of the commits of releases, as spdk_get_version tells them."""
UNRELEASED: Mapping[str, tuple[int, int]] = {
    "d005e023bd": (24, 9),
    "5558f3f502": (24, 9),
    "3230130e6a": (26, 9),
}
"""What commits between two releases call themselves, with BEFORE_RELEASE behind it."""
BEFORE_RELEASE = "-pre"


def is_since(variant: Variant, version: str) -> bool:
    """Tell whether the version that a variant stands for is `version` or a later one.

    >>> from bdevcheck.model.variant import VARIANTS
    >>> is_since(VARIANTS["fixed"], "v26.05"), is_since(VARIANTS["modern"], "v26.05")
    (False, True)
    """
    return _ORDER.index(variant.version) >= _ORDER.index(version)
