"""Subjects: what a call is about, by the names that bdevs and lvstores have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.names import Names
from bdevcheck.model.catalogue import Method, base_names, bdev_names, fill

MAX_TEXTS = 20_000
"""How many texts of parameters are remembered with the names in them."""

MANY = "*"
"""What stands for any number in a template of names."""


class Subject(msgspec.Struct, frozen=True):  # made for every call: much faster than a dataclass
    """What one call is about, by canonical names.

    `bdevs` are the bdevs that it makes, deletes or looks for, `bases` what it builds on or uses,
    those of its lvstore included. `has_store`: it names an lvstore; `stored`: one that this trace
    has made, so that its bases are known. `names` are all of them, each once.
    """

    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    has_store: bool = False
    stored: bool = False
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Subjects:
    """What calls are about, with what the trace has shown of aliases and lvstores by now."""

    names: Names
    stores: Stores = field(init=False)
    _asked: dict[tuple[str, bytes | None], Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stores = Stores(self.names)

    def asked(self, call: Call, method: Method) -> Subject:
        """Return what a call is about, as its request says."""
        text = call.request.text
        if text is None or method.store or method.peer:
            return self.of(call, method, None)
        key = (method.name, text)
        known = self._asked.get(key)
        if known is None:
            if len(self._asked) >= MAX_TEXTS:
                self._asked.clear()
            named = () if method.kind == "use" else bdev_names(method, call.request.params, None)
            known = self._asked[key] = _subject(named, _bases(method, call.request.params, named))
        if self.names.all_plain(known.names):
            return known
        canonical = self.names.canonical
        return _subject(map(canonical, known.bdevs), map(canonical, known.bases))

    def made(self, call: Call, method: Method, before: Subject) -> Subject:
        """Return what a create is about that has succeeded; `before` is what its request says."""
        result = call.result
        is_told = method.result == "name" and before.bdevs == before.names == (result,)
        if is_told and not method.store and not method.peer and self.names.all_plain(before.names):
            return before
        return self.of(call, method, result)

    def of(self, call: Call, method: Method, result: object) -> Subject:
        """Return what a call is about; `result` (None: not known) may tell names."""
        params = call.request.params
        named = () if method.kind == "use" else bdev_names(method, params, result)
        stores = self.stores.of(method, params)
        is_new = bool(method.bases)  # then the store is to lie there, wherever another one lies
        stored = () if is_new else self.stores.bases_of(stores)
        bases = [*_bases(method, params, named), *stored]
        canonical = self.names.canonical
        made = [canonical(name) for name in named if MANY not in name]
        return _subject(made, map(canonical, bases), has_store=bool(stores), stored=bool(stored))


def _subject(
    bdevs: Iterable[str], bases: Iterable[str], *, has_store: bool = False, stored: bool = False
) -> Subject:
    """Return a subject; each name once, no templates."""
    made = _once([name for name in bdevs if MANY not in name])
    built_on = _once(list(bases))
    names = _once([*made, *built_on]) if built_on else made
    return Subject(made, built_on, has_store, stored, names)


def _once(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names)) if len(names) > 1 else tuple(names)


def _bases(method: Method, params: object, bdevs: tuple[str, ...]) -> list[str]:
    found = list(base_names(method, params)) if method.bases else []
    found += [name[: name.index(MANY)].removesuffix("p") for name in bdevs if MANY in name]
    return found


@dataclass(slots=True)
class Stores:
    """Which bases an lvstore lives on, and which lvstore a volume lives on."""

    names: Names
    _bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _of_volume: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _name: dict[str, str] = field(default_factory=dict)

    def of(self, method: Method, params: object) -> tuple[str, ...]:
        """Return the lvstores that a call names: by name, uuid, or a volume that lives there."""
        if not (method.store or method.peer):
            return ()
        found = [self._name.get(name, name) for name in fill(method.store, params) if name]
        if method.peer:
            peers = fill(f"{{{method.peer}}}", params)
            found += [s for p in peers for s in self._of_volume.get(self.names.canonical(p), ())]
        return tuple(found)

    def bases_of(self, stores: tuple[str, ...]) -> tuple[str, ...]:
        """Return the bases of lvstores that this trace has made."""
        return tuple(base for store in stores for base in self._bases.get(store, ()))

    def learn(self, call: Call, method: Method) -> None:
        """Remember what a success reply shows of lvstores and volumes."""
        if not method.store and not method.peer:
            return
        params, result = call.request.params, call.result
        stores = self.of(method, params)
        if not stores:
            return
        if method.kind == "use":
            bases = tuple(map(self.names.canonical, base_names(method, params)))
            self._bases[stores[0]] = bases
            if isinstance(result, str):
                self._name[result] = stores[0]
        if method.kind == "create" and isinstance(result, str):
            self._of_volume[result] = stores

    def forget(self, volume: str) -> None:
        """Forget a volume that was deleted."""
        self._of_volume.pop(volume, None)
