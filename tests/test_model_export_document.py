"""JSON documents: a system reads back equal, and damage is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.compose import System
from bdevcheck.model.export import FormatError, document
from bdevcheck.model.expression import Expression, at
from bdevcheck.model.machine import declare
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.property import always
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from .exported import claimed_systems, hostile
from .toys import counter, deadlock, peterson


def text_of(system: System) -> str:
    return "\n".join(document.write(system))


def assert_reads_back(system: System) -> None:
    again = document.read(text_of(system))
    assert again == system
    # Equality leaves out what order a mapping has and what is said about things.
    assert list(again.components) == list(system.components)
    assert again.about == system.about
    assert [m.about for m in again.components.values()] == [
        m.about for m in system.components.values()
    ]
    assert [m.events for m in again.components.values()] == [
        m.events for m in system.components.values()
    ]


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_reads_back_equal(name: str) -> None:
    for variant in VARIANTS.values():
        assert_reads_back(SYSTEMS[name](variant))


@given(system=claimed_systems())
def test_random_systems_read_back_equal(system: System) -> None:
    assert_reads_back(system)


def test_hostile_names_read_back_equal() -> None:
    assert_reads_back(hostile())


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_reads_back_equal(name: str) -> None:
    text = "\n".join(document.write_machine(MACHINES[name]))
    assert document.read_machine(text) == MACHINES[name]


def test_different_machines_of_one_name_stay_different() -> None:
    one, two = declare("m", ["a"], [("e", "a", "a")]), declare("m", ["b"], [("e", "b", "b")])
    third = declare("m", ["a"], [("e", "a", "a")], resting=[])
    assert_reads_back(System("namesakes", {"x": one, "y": two, "z": one, "w": third}, ()))


def test_a_file_by_hand_may_use_the_shorthands_of_rows() -> None:
    rows = [["go", "*", "b"], ["ask", ["a", "b"], "="]]
    lamp = {"name": "lamp", "states": ["a", "b"], "rows": rows, "resting": ["a"]}
    text = json.dumps({"format": document.MACHINE, "version": 1, "machine": lamp})
    expected = declare("lamp", "ab", [("go", "*", "b"), ("ask", ["a", "b"], "=")], resting="a")
    assert document.read_machine(text) == expected


Tree = dict[str, Any]


def changed(change: Callable[[Tree], object]) -> str:
    tree = json.loads(text_of(peterson()))
    change(tree)
    return json.dumps(tree)


def deep(levels: int) -> Tree:
    inner: Tree = {"at": "p0", "states": ["inside"]}
    for _ in range(levels):
        inner = {"not": inner}
    return inner


DAMAGE: list[tuple[Callable[[Tree], object], str]] = [
    (lambda t: t.pop("format"), "missing required field `format`"),
    (lambda t: t.update(format="other"), "found 'other' version 1, allowed is 'bdevcheck-system'"),
    (lambda t: t.update(version=2), "version 2, allowed is 'bdevcheck-system' version 1"),
    (lambda t: t.update(extra=1), "unknown field `extra`"),
    (lambda t: t["machines"]["turn"].pop("states"), r"`states` - at `\$\.machines\[\.\.\.\]`"),
    (lambda t: t["machines"]["turn"].update(states=[]), r"machines\['turn'\]: .* at least one"),
    (lambda t: t["machines"]["turn"]["rows"].append(["e", "p0"]), "Expected `array` of length 3"),
    (
        lambda t: t["machines"]["turn"]["rows"].append(["e", "p0", "p7"]),
        r"\$\.machines\['turn'\]: .*no state 'p7'; declared: p0, p1",
    ),
    (
        lambda t: t["machines"]["turn"]["rows"].append(["give_p0", "p1", "p1"]),
        "'give_p0' in 'p1' has two destinations",
    ),
    (
        lambda t: t["machines"]["turn"].update(
            rows=[["e", "p0", "p1"]] * 101, states=[f"p{n}" for n in range(100_000)]
        ),
        r"rows times states is more than 10,000,000",
    ),
    (
        lambda t: t["components"][1].update(machine="tern"),
        r"\$\.components\[1\]: no machine 'tern'; there are: process, flag, turn",
    ),
    (lambda t: t["components"][1].update(name="p0"), "two components are called 'p0'"),
    (
        lambda t: t["vectors"][0]["events"].update(p2="raise"),
        "no component 'p2'; there are: p0, p1",
    ),
    (lambda t: t["vectors"][0]["events"].update(p0="rise"), "process has no event 'rise'"),
    (lambda t: t["vectors"].append(t["vectors"][0]), "two vectors are called"),
    (lambda t: t["vectors"][0].update(events={}), "has no participant"),
    (lambda t: t["properties"][0].update(form="often"), "Invalid enum value 'often'"),
    (lambda t: t["properties"][0].pop("first"), r"\$\.properties\[0\]: .*needs an expression"),
    (
        lambda t: t["properties"][1]["first"].update(states=["nowhere"]),
        r"\$\.properties\[1\]: p0 has no state 'nowhere'; it has: outside",
    ),
    (lambda t: t["properties"][1]["first"].update(at="p9"), "no component 'p9'"),
    (lambda t: t["properties"][1].update(first={}), r"\$\.properties\[1\]\.first: an expression"),
    (lambda t: t.update(rest={"any": [], "all": []}), r"\$\.rest: an expression is one of"),
    (lambda t: t.update(rest={"all": [{"not": {}}]}), r"\$\.rest\.all\[0\]\.not: an expression"),
    (lambda t: t.update(rest=deep(251)), "more than 250 expressions inside one another"),
    (lambda t: t.update(rest=deep(100_000)), "nested too deeply|more than 250"),
]


@pytest.mark.parametrize(("change", "found"), DAMAGE, ids=range(len(DAMAGE)))
def test_a_damaged_document_is_refused_with_the_place(
    change: Callable[[Tree], object], found: str
) -> None:
    if "nested" in found:  # Python's own writer cannot nest so deeply
        text = changed(lambda t: t.update(rest=0))
        text = text.replace('"rest": 0', '"rest": ' + '{"not":' * 100_000 + "0" + "}" * 100_000)
    else:
        text = changed(change)
    with pytest.raises(FormatError, match=found):
        document.read(text)


@given(text=st.text() | st.binary())
def test_rubbish_is_refused(text: str | bytes) -> None:
    with pytest.raises(FormatError):
        document.read(text)


@given(data=st.data())
def test_a_document_cut_short_is_refused(data: st.DataObject) -> None:
    text = text_of(deadlock())
    with pytest.raises(FormatError):
        document.read(text[: data.draw(st.integers(0, len(text) - 1))])


def test_a_system_is_not_read_as_a_machine() -> None:
    with pytest.raises(FormatError, match="found 'bdevcheck-system' version 1, allowed is 'bdev"):
        document.read_machine(text_of(peterson()))


def test_more_than_the_most_bytes_is_refused() -> None:
    with pytest.raises(FormatError, match="larger than 67,108,864 bytes"):
        document.read(b" " * (document.LARGEST + 1))


def test_expressions_of_nothing_read_back_equal() -> None:
    parts = {"digit": counter(2).components["digit"]}
    for empty in (Expression("all"), Expression("any"), at("digit")):
        assert_reads_back(System("s", parts, (), (always("p", ~empty),), rest=empty))
