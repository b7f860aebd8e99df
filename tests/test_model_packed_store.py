"""A search that was kept is the search that was made, and never taken for another."""

from pathlib import Path

import numpy as np
import pytest

from bdevcheck.model.packed.decide import verify
from bdevcheck.model.packed.search import search
from bdevcheck.model.packed.store import StoreError, load, save
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from .toys import counter, deadlock, peterson

BUGGY = SYSTEMS["issue-3413"](VARIANTS["buggy"])


@pytest.mark.parametrize("system", [BUGGY, deadlock(), counter(3)], ids=lambda each: each.name)
@pytest.mark.parametrize("bound", [None, 3])
def test_a_kept_search_is_the_same(tmp_path: Path, system: object, bound: int | None) -> None:
    found = search(system, max_states=bound)  # type: ignore[arg-type]  # systems, of three kinds
    save(found, tmp_path / "found")
    again = load(tmp_path / "found", found.system)
    assert [level.tolist() for level in again.levels] == [x.tolist() for x in found.levels]
    assert [part.tolist() for part in again.ends] == [x.tolist() for x in found.ends]
    assert (again.steps, again.expanded, again.complete) == (
        found.steps,
        found.expanded,
        found.complete,
    )
    assert again.budget == found.budget
    assert [each.holds for each in verify(again)] == [each.holds for each in verify(found)]


def test_a_quotient_is_kept_as_one(tmp_path: Path) -> None:
    system = SYSTEMS["most-general"](VARIANTS["modern"])
    found = search(system, symmetry=True)
    save(found, tmp_path / "found")
    again = load(tmp_path / "found", system)
    assert again.states_in_full == found.states_in_full > again.states


def test_the_search_of_another_system_is_refused(tmp_path: Path) -> None:
    save(search(BUGGY), tmp_path / "found")
    with pytest.raises(StoreError, match="a search of issue-3413, whose machines or vectors"):
        load(tmp_path / "found", SYSTEMS["issue-3413"](VARIANTS["modern"]))


@pytest.mark.parametrize("content", [b"", b"no search", b"PK\x03\x04 and then nothing"])
def test_what_is_no_search_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "found").write_bytes(content)
    with pytest.raises(StoreError, match="not a saved search"):
        load(tmp_path / "found", peterson())


def test_every_cut_of_a_kept_search_is_refused(tmp_path: Path) -> None:
    save(search(peterson()), tmp_path / "found")
    whole = (tmp_path / "found").read_bytes()
    for length in range(0, len(whole), 37):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(StoreError):
            load(tmp_path / "cut", peterson())


def test_arrays_that_do_not_fit_the_header_are_refused(tmp_path: Path) -> None:
    save(search(peterson()), tmp_path / "found")
    with np.load(tmp_path / "found") as file:
        parts = {name: file[name] for name in file.files}
    parts["states"] = parts["states"][:-1]
    with (tmp_path / "found").open("wb") as file:
        np.savez(file, **parts)
    with pytest.raises(StoreError, match="damaged"):
        load(tmp_path / "found", peterson())


def test_a_failed_save_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(search(peterson()), tmp_path / "found")
    before = (tmp_path / "found").read_bytes()

    def fails(*_arguments: object, **_named: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="disk full"):
        save(search(peterson()), tmp_path / "found")
    assert (tmp_path / "found").read_bytes() == before
