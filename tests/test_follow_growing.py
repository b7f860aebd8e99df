"""A recording that grows, and runs that are killed on the way, say what the whole one says."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.check import Run, check_files, start_run
from bdevcheck.conformance.checkpoint import Checkpoint, load, save
from bdevcheck.conformance.document import document_of
from bdevcheck.traces.tail import Line, follow
from tests.command import BUGGY, FIXED


@given(
    st.sampled_from([BUGGY[0], FIXED[0]]),
    st.lists(st.integers(0, 60_000), max_size=12).map(sorted),
    st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=6),
)
def test_file_that_grows_in_pieces_and_runs_that_are_killed_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    wire: str,
    cuts: list[int],
    lives: list[tuple[bool, int]],
) -> None:
    path = tmp_path_factory.mktemp("follow") / "x.wire.jsonl"
    data = Path(wire).read_bytes()
    path.write_bytes(data[: cuts[0]] if cuts else data)
    rest = iter(data[begin:end] for begin, end in pairwise([*cuts, len(data)]))

    def sleep(_seconds: float) -> None:
        with path.open("ab") as file:
            file.write(next(rest, b""))

    for keeps, number in lives:
        _live(path, number, keeps=keeps, sleep=sleep)
    run = _live(path, len(data), keeps=False, sleep=sleep)
    assert document_of(run.finish()) == document_of(check_files([path]))
    assert path.read_bytes() == data


def _live(path: Path, lines: int, *, keeps: bool, sleep: Callable[[float], None]) -> Run:
    """Follow for so many lines from the checkpoint on, and leave one behind, or leave it."""
    kept, name = f"{path}.kept", str(path)
    begun = Checkpoint(start_run(name), 0, 0)
    found = load(kept, name, name=name) if os.path.exists(kept) else begun
    offset, line = found.offset, found.line

    def is_over() -> bool:
        return found.run.reading.complete_to_end

    for item in follow(name, offset=offset, line=line, sleep=sleep, until=is_over):
        if isinstance(item, Line):
            found.run.take(item.number, item.data)
            offset, line = item.end, item.number
        if line - found.line >= lines:
            break
    if keeps:
        save(kept, Checkpoint(found.run, offset, line), name)
    return found.run
