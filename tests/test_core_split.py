"""What is said of a bdev does not depend on what else is in the trace.

Each bdev has a stack of its own, which shares situations, queues and barriers with others. So a
trace of many bdevs, told at once, must be judged as it is with all taken out that is neither about
a bdev nor about what it is built on. The traces are random, and tell the truth only now and then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from bdevcheck.conformance import Report
from tests.builder import Json, Script, broken
from tests.test_core_checker import CREATE, DELETE, LOOKUP, fates, judge, together

END = 5000.0


@dataclass
class Piece:
    """One call with the log lines that it may have caused; `about`: the bdev that it names."""

    about: str
    script: Script
    bases: tuple[str, ...] = ()


@dataclass
class Family:
    """A few bdevs that have to do with each other, and what is done to them, piece by piece."""

    draw: st.DrawFn
    name: str
    conn: int
    ms: float
    pieces: list[Piece] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def call(
        self, about: str, method: str, took: float, answer: Json, *bases: str, **params: Json
    ) -> Piece:
        """Call a method at `ms`. `answer`: a result, a negative error code, or None for silence."""
        script, id = Script(), len(self.pieces) + 1
        script.request(self.ms, method, conn=self.conn, id=id, **params)
        if isinstance(answer, int) and answer < 0:
            script.error(self.ms + took, answer, conn=self.conn, id=id)
        elif answer is not None:
            script.reply(self.ms + took, answer, conn=self.conn, id=id)
        self.pieces.append(Piece(about, script, bases))
        return self.pieces[-1]

    def goes_on(self) -> None:
        self.ms += self.draw(st.sampled_from((0.3, 4, 30)))

    def some(self) -> str:
        return self.draw(st.sampled_from([*self.names, f"{self.name}-none"]))

    def new(self, name: str) -> str:
        """Return a new name, or now and then one that was there before."""
        number = len(self.names)
        uuid = f"{self.conn:08}-0000-4000-8000-{number:012}"
        fresh = uuid if name == "volume" else f"{self.name}-{name}{number}"
        again = [each for each in self.names if f"-{name}" in each]
        self.names.append(self.draw(st.sampled_from([fresh, fresh, *again])))
        return self.names[-1]

    def registers(self, piece: Piece) -> None:
        """Let the log show the bdev in time, too late, or never."""
        after = self.draw(st.sampled_from((1, 1, 1, 2, 60, None)))
        if after is not None:
            piece.script.inserting(self.ms + after, piece.about)

    # -- what may be done ----------------------------------------------------------------------

    def disk(self) -> None:
        name = self.new("disk")
        self.registers(self.call(name, "bdev_malloc_create", 5, name, name=name))

    def nameless_disk(self) -> None:
        name = self.new("Malloc")
        self.registers(self.call(name, "bdev_malloc_create", 5, name))

    def passthru(self) -> None:
        base, name = self.some(), self.new("pt")
        params = {"name": name, "base_bdev_name": base}
        self.registers(self.call(name, "bdev_passthru_create", 5, name, base, **params))

    def raid(self) -> None:
        bases, name = [self.some(), self.some()], self.new("raid")
        params: dict[str, Json] = {"name": name, "raid_level": "raid1", "base_bdevs": bases}
        params["superblock"] = self.draw(st.booleans())
        self.registers(self.call(name, "bdev_raid_create", 9, True, *bases, **params))

    def volume(self) -> None:
        base, store = self.some(), f"{self.name}-lvs{len(self.pieces)}"
        params = {"bdev_name": base, "lvs_name": store}
        self.call(base, "bdev_lvol_create_lvstore", 3, f"id of {store}", **params)
        self.ms += 9
        name, volume = self.new("volume"), f"v{len(self.pieces)}"
        params = {"lvol_name": volume, "lvs_name": store}
        self.registers(self.call(name, "bdev_lvol_create", 5, name, base, **params))

    def look(self) -> None:
        name = self.some()
        answer: Json = self.draw(st.sampled_from(([{"name": name, "aliases": []}], -19)))
        self.call(name, "bdev_get_bdevs", self.draw(st.sampled_from((2, 40))), answer, name=name)

    def delete(self) -> None:
        name = self.some()
        piece = self.call(name, "bdev_malloc_delete", 5, True, name=name)
        after = self.ms + self.draw(st.sampled_from((1, 1, 60)))
        piece.script.removing(after, name).removed(after + 1, name)

    def silent(self) -> None:
        name = self.new("silent")
        self.registers(self.call(name, "bdev_aio_create", 5, None, name=name))


ACTS: tuple[Callable[[Family], None], ...] = (
    Family.disk, Family.nameless_disk, Family.passthru, Family.raid, Family.volume, Family.look,
    Family.delete, Family.silent,
)  # fmt: skip


@st.composite
def families(draw: st.DrawFn, name: str = "a", conn: int = 1, acts: int = 6) -> list[Piece]:
    family = Family(draw, name, conn, draw(st.sampled_from((0.1, 2.7, 31.3))) + conn / 100)
    family.disk()
    for act in draw(st.lists(st.sampled_from(ACTS), min_size=1, max_size=acts)):
        family.goes_on()
        act(family)
    return family.pieces


def _said(pieces: Iterable[Piece], *, log: bool = True) -> Report:
    return judge(together((piece.script for piece in pieces), END), log=log)


def _below(name: str, pieces: Iterable[Piece]) -> set[str]:
    """Return a bdev with all that it is built on, directly or not."""
    under = {name}
    while True:
        more = {base for piece in pieces if piece.about in under for base in piece.bases}
        if more <= under:
            return under
        under |= more


MANY = st.tuples(families("a", 1), families("b", 2), families("c", 3))
ONE = families(acts=5)
LOG = st.booleans()


@given(MANY, LOG)
def test_families_told_at_once_are_judged_as_one_by_one(
    groups: tuple[list[Piece], ...], log: bool
) -> None:
    whole = fates(_said([piece for group in groups for piece in group], log=log))
    apart = [fates(_said(group, log=log)) for group in groups]
    for fate, told in whole.items():
        assert told == sorted(each for part in apart for each in part[fate])


@given(ONE, LOG)
def test_bdev_is_judged_as_if_there_were_only_what_it_is_built_on(
    pieces: list[Piece], log: bool
) -> None:
    whole = fates(_said(pieces, log=log))
    for name in {piece.about for piece in pieces}:
        under = _below(name, pieces)
        alone = fates(_said([piece for piece in pieces if piece.about in under], log=log))
        for fate, told in whole.items():
            about = [each for each in told if name in each[:2]]
            assert about == [each for each in alone[fate] if name in each[:2]]


def _renamed(script: Script, names: dict[str, str], conns: dict[int, int]) -> Script:
    """Return a script in which bdevs and connections are called otherwise."""
    old = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))

    def renamed(text: str) -> str:
        return old.sub(lambda found: names[found.group()], text)

    other = Script()
    records = [(ms, json.loads(renamed(json.dumps(record)))) for ms, record in script.records]
    other.records = [(ms, {**each, "conn": conns[each["conn"]]}) for ms, each in records]
    other.log = [(ms, renamed(text)) for ms, text in script.log]
    other.conns = {conns[conn]: None for conn in script.conns}
    return other


def _new_name(name: str, number: int) -> str:
    """Return a name of the same form, in another order: a uuid may be an alias."""
    return f"f{name[1:-1]}{9 - number % 10}" if name[:8].isdigit() else f"{99 - number}!"


@given(MANY, LOG)
def test_names_and_numbers_of_connections_do_not_matter(
    groups: tuple[list[Piece], ...], log: bool
) -> None:
    pieces = [piece for group in groups for piece in group]
    about = {piece.about for piece in pieces} | {b for piece in pieces for b in piece.bases}
    names = {name: _new_name(name, n) for n, name in enumerate(sorted(about))}
    conns = {1: 70, 2: 9, 3: 1}
    other = [Piece("", _renamed(piece.script, names, conns)) for piece in pieces]
    first, second = fates(_said(pieces, log=log)), fates(_said(other, log=log))
    for fate in ("violated", "undecided"):
        told = sorted((rule, names.get(bdev, bdev), call) for rule, bdev, call in first[fate])
        assert told == second[fate]
    assert len(first["unexplained"]) == len(second["unexplained"])


SEARCH = settings(
    max_examples=400, derandomize=True, database=None, phases=[Phase.generate], deadline=None
)


@pytest.mark.parametrize("rule", [CREATE, DELETE, LOOKUP])
def test_the_random_traces_break_every_rule_of_a_single_bdev(rule: str) -> None:
    assert find(ONE, lambda ps: rule in {each for each, _, _ in broken(_said(ps))}, settings=SEARCH)


@pytest.mark.parametrize("fate", ["undecided", "unexplained"])
def test_the_random_traces_show_every_other_fate(fate: str) -> None:
    assert find(ONE, lambda ps: bool(fates(_said(ps))[fate]), settings=SEARCH)
