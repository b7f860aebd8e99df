"""Tell which request a reply is for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bdevcheck.traces.record import NO_ID, id_key

T = TypeVar("T")
NULL = "null"


def key_of(message: Mapping[str, object]) -> str:
    """Return the key of a message's id; that of one without an id is that of null.

    >>> key_of({"id": 1}), key_of({"id": "1"}), key_of({})
    ('1', '"1"', 'null')
    """
    return id_key(message.get("id", NO_ID)) or NULL


@dataclass(slots=True)
class Open(Generic[T]):
    """The requests of one connection that have no reply yet.

    >>> waiting = Open[str]()
    >>> waiting.ask("true", "first"), waiting.ask("2", "second")
    (None, None)
    >>> waiting.answer("2"), waiting.answer("null"), waiting.answer("null")
    ('second', 'first', None)
    """

    _by_key: dict[str, deque[tuple[int, T]]] = field(default_factory=dict)
    _count: int = 0

    def ask(self, key: str, request: T) -> None:
        """Take note of a request."""
        self._count += 1
        self._by_key.setdefault(key, deque()).append((self._count, request))

    def answer(self, key: str) -> T | None:
        """Return the request that a reply with this id is for; it is open no more.

        Of several with the same id it is the oldest. A reply whose id is null is for a request that
        has none, else for the oldest of all: so a target answers what it cannot read (LIFECYCLE
        2.3), and that has an id for the client alone.
        """
        if key not in self._by_key and key == NULL:
            key = min(self._by_key, key=lambda each: self._by_key[each][0][0], default=NULL)
        waiting = self._by_key.get(key)
        if waiting is None:
            return None
        _, request = waiting.popleft()
        if not waiting:
            del self._by_key[key]
        return request

    def drop(self, is_meant: Callable[[T], bool]) -> list[T]:
        """Return those that are meant; they are open no more."""
        found = [each for each in self if is_meant(each)]
        for key, waiting in list(self._by_key.items()):
            kept = deque(each for each in waiting if not is_meant(each[1]))
            self._by_key[key] = kept
            if not kept:
                del self._by_key[key]
        return found

    def __iter__(self) -> Iterator[T]:
        """Yield what is open, those with one id together, each in its order."""
        for waiting in self._by_key.values():
            yield from (request for _, request in waiting)

    def __bool__(self) -> bool:
        """Tell whether anything is open."""
        return bool(self._by_key)
