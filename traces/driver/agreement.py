"""Compare what a target answers with what a recording says that another answered.

Shape, names, codes and texts must be the same. Masked is what a target is free to choose, see
MASKS; uuids are matched: one recorded uuid stands for one of the target throughout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ZERO = "00000000-0000-0000-0000-000000000000"
MASKS: tuple[tuple[str, str], ...] = (
    (r"\.ticks$|\.tick_rate$|\.tsc_rate$", "the host's clock"),
    (r"\.bdevs\[\d+\]\.[a-z_]*(bytes|num|latency|ops)[a-z_]*$", "counters of I/O"),
    (r"\.progress\.", "how far a rebuild is"),
)
"""JSON paths whose values may differ (not their being there), and why."""
_MASK = re.compile("|".join(f"(?:{path})" for path, _ in MASKS))


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, at a JSON path of the reply; `recorded` and `found` are short texts."""

    path: str
    recorded: str
    found: str


@dataclass(slots=True)
class Uuids:
    """Which uuid of the target stands for a recorded one, and for no other.

    What the client chose stands for itself; what the recorded target has `told` it chose.
    """

    known: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    _taken: dict[str, str] = field(default_factory=dict)

    def tell(self, recorded: object) -> None:
        """Take note of what a recorded target told."""
        for text in strings_of(recorded):
            self.told.update(UUID.findall(text))

    def ask(self, text: str) -> None:
        """Take note of what a client asks: a uuid that nobody has told it is its own."""
        for each in UUID.findall(text):
            if each not in self.told:
                self._know(each, each)

    def as_here(self, data: bytes) -> bytes:
        """Return what a client asks, with the target's uuids for the recorded ones."""
        text = data.decode("utf-8", "surrogateescape")
        self.ask(text)
        return self.translate(text).encode("utf-8", "surrogateescape")

    def learn(self, recorded: object, found: object) -> None:
        """Take note of the uuids that stand in the same places of two replies."""
        for old, new in _texts(recorded, found):
            olds, news = UUID.findall(old), UUID.findall(new)
            if len(olds) == len(news):
                for one, other in zip(olds, news, strict=True):
                    self._know(one, other)

    def _know(self, one: str, other: str) -> None:
        if _ZERO not in (one, other) and one not in self.known and other not in self._taken:
            self.known[one] = other
            self._taken[other] = one

    def translate(self, text: str) -> str:
        """Return a text with the target's uuids for the recorded ones."""
        return UUID.sub(lambda found: self.known.get(found[0], found[0]), text)


def strings_of(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value; names of members are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_of(each)


def _texts(recorded: object, found: object) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, str) and isinstance(found, str):
        yield recorded, found
    elif isinstance(recorded, dict) and isinstance(found, dict):
        for key in recorded.keys() & found.keys():
            yield from _texts(recorded[key], found[key])
    elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        for one, other in zip(recorded, found, strict=True):
            yield from _texts(one, other)


def compare(recorded: object, found: object, uuids: Uuids, path: str = "") -> Iterator[Difference]:
    """Yield the differences of two JSON values, in the order of the recorded one."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for key in [*recorded, *(key for key in found if key not in recorded)]:
            if key not in found or key not in recorded:
                yield Difference(f"{path}.{key}", _there(key in recorded), _there(key in found))
            else:
                yield from compare(recorded[key], found[key], uuids, f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(found, list):
        if len(recorded) != len(found):
            yield Difference(path, f"{len(recorded)} members", f"{len(found)} members")
            return
        for number, (one, other) in enumerate(zip(recorded, found, strict=True)):
            yield from compare(one, other, uuids, f"{path}[{number}]")
    elif not _same(recorded, found, uuids) and not _MASK.search(path):
        yield Difference(path, _short(recorded), _short(found))


def _there(is_there: bool) -> str:
    return "there" if is_there else "missing"


def _same(recorded: object, found: object, uuids: Uuids) -> bool:
    if isinstance(recorded, str) and isinstance(found, str):
        uuids.learn(recorded, found)
        return uuids.translate(recorded) == found
    return type(recorded) is type(found) and recorded == found


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(slots=True)
class Agreement:
    """How far two targets agree: by method, replies in all and those that agree.

    `kinds` counts each kind of difference: method, path without numbers, recorded, found.
    """

    replies: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Return the share of replies that agree, 1.0 where there are none."""
        total = self.replies.total()
        return self.agreed.total() / total if total else 1.0

    def add(self, method: str, differences: Iterable[Difference]) -> None:
        """Count one reply."""
        found = list(differences)
        self.replies[method] += 1
        self.agreed[method] += not found
        for each in found:
            path = UUID.sub("<uuid>", re.sub(r"\d+", "#", each.path))
            recorded, seen = (UUID.sub("<uuid>", text) for text in (each.recorded, each.found))
            self.kinds[method, path, recorded, seen] += 1

    def take(self, method: str, recorded: object, found: object, uuids: Uuids) -> None:
        """Compare a reply with the recorded one, and count it; None is no reply."""
        self.add(method, compare(_body(recorded), _body(found), uuids))

    def merge(self, other: Agreement) -> None:
        """Add the counts of another."""
        self.replies += other.replies
        self.agreed.update(other.agreed)
        self.kinds.update(other.kinds)


def agreement_of(exchanges: Iterable[tuple[str, object, object]], uuids: Uuids) -> Agreement:
    """Return the agreement of (method, recorded reply, found reply); None is no reply."""
    agreement = Agreement()
    for method, recorded, found in exchanges:
        agreement.take(method, recorded, found, uuids)
    return agreement


def _body(reply: object) -> object:
    if not isinstance(reply, Mapping):
        return "no reply"
    return {key: value for key, value in reply.items() if key not in ("id", "jsonrpc")}
