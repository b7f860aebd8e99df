"""Names: which bdev a name or alias stands for, as far as the trace has shown by now."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

MAX_ALIASES = 100_000
"""How many aliases are remembered; the one that was learnt first is forgotten first."""


@dataclass(slots=True)
class Names:
    """What aliases stand for.

    An alias that stood for two bdevs in turn, or that a rename touched, is not resolved any more:
    nobody can tell when it changed hands.
    """

    _bdevs: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _unsteady: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def canonical(self, name: str) -> str:
        """Return the bdev's own name for a name or alias."""
        return self._bdevs.get(name, name)

    def all_plain(self, names: Iterable[str]) -> bool:
        """Tell whether none of the names is a known alias."""
        return self._bdevs.keys().isdisjoint(names)

    def learn(self, name: str, aliases: Iterable[str]) -> None:
        """Remember the aliases of a bdev."""
        for alias in aliases:
            known = self._bdevs.get(alias)
            if known == name or alias == name or alias in self._unsteady:
                continue
            if known is not None:
                self.forget(alias)
                continue
            self._bdevs[alias] = name
            if len(self._bdevs) > MAX_ALIASES:
                self._bdevs.popitem(last=False)

    def forget(self, alias: str) -> None:
        """Resolve an alias no more: it has changed hands, or may have."""
        self._bdevs.pop(alias, None)
        self._unsteady[alias] = None
        if len(self._unsteady) > MAX_ALIASES:
            self._unsteady.popitem(last=False)


def may_be_alias(name: str) -> bool:
    """Tell whether a name that nobody has shown to be one may be an alias.

    SPDK gives aliases of two forms: a bdev's uuid, and `lvstore/volume` (LIFECYCLE 1.2, 1.8).

    >>> may_be_alias("raid1"), may_be_alias("lvs/v"), may_be_alias("3f" * 4 + "-1-2-3-4")
    (False, True, False)
    """
    return "/" in name or _UUID.fullmatch(name) is not None
