"""Subjects: what a call is about, by the names that bdevs and lvstores have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.names import Names
from bdevcheck.model.catalogue import Method, base_names, bdev_names, fill

MANY = "*"
"""What stands for any number in a template of names."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one call is about, by canonical names.

    `bdevs` are the bdevs that it makes, deletes or looks for, `bases` what it builds on or uses,
    those of its lvstore included. `has_store`: it names an lvstore; `stored`: one that this trace
    has made, so that its bases are known. `about_all`: it is about no bdev in particular.
    """

    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    has_store: bool = False
    stored: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return all names that the call is about, each once."""
        return tuple(dict.fromkeys((*self.bdevs, *self.bases)))


@dataclass(slots=True)
class Subjects:
    """What calls are about, with what the trace has shown of aliases and lvstores by now."""

    names: Names
    stores: Stores = field(init=False)

    def __post_init__(self) -> None:
        self.stores = Stores(self.names)

    def of(self, call: Call, method: Method, result: object) -> Subject:
        """Return what a call is about; `result` (None: not known) may tell names."""
        params = call.request.params
        named = () if method.kind == "use" else bdev_names(method, params, result)
        stores = self.stores.of(method, params)
        stored = self.stores.bases_of(stores)
        bases = [*_bases(method, params, named), *stored]
        canonical = self.names.canonical
        return Subject(
            tuple(dict.fromkeys(canonical(name) for name in named if MANY not in name)),
            tuple(dict.fromkeys(canonical(name) for name in bases)),
            bool(stores),
            bool(stored),
        )


def _bases(method: Method, params: object, bdevs: tuple[str, ...]) -> Iterator[str]:
    yield from base_names(method, params)
    yield from (name[: name.index(MANY)].removesuffix("p") for name in bdevs if MANY in name)


@dataclass(slots=True)
class Stores:
    """Which bases an lvstore lives on, and which lvstore a volume lives on."""

    names: Names
    _bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _of_volume: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _name: dict[str, str] = field(default_factory=dict)

    def of(self, method: Method, params: object) -> tuple[str, ...]:
        """Return the lvstores that a call names: by name, uuid, or a volume that lives there."""
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
