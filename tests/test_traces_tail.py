"""Following a file gives the lines that reading it whole gives, and ends where it must."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.traces.record import Damage, InputError
from bdevcheck.traces.source import Item, read_lines, split_lines
from bdevcheck.traces.tail import INTERVAL_S, Line, Pause, follow

LIMIT = 20


def _never() -> bool:
    return False


def _writer(steps: list[Callable[[], object]]) -> Callable[[float], None]:
    """Return a sleep in which somebody does the next of `steps`."""
    left = iter(steps)

    def sleep(seconds: float) -> None:
        assert seconds == INTERVAL_S
        step = next(left, None)
        if step is not None:
            step()

    return sleep


def _append(path: Path, data: bytes) -> Callable[[], object]:
    def append() -> None:
        with path.open("ab") as file:
            file.write(data)

    return append


def _lines(found: Iterator[Line | Pause]) -> list[Line]:
    return [each for each in found if isinstance(each, Line)]


def _items(found: list[Line]) -> list[Item]:
    return [(each.number, each.data) for each in found]


@given(
    st.lists(st.binary(max_size=12) | st.just(b"\n") | st.just(b"x\n"), max_size=12),
    st.binary(max_size=9),
)
def test_growing_file_has_the_lines_of_the_whole_one(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], last: bytes
) -> None:
    path = tmp_path_factory.mktemp("tail") / "x"
    path.write_bytes(b"ab")
    whole = b"ab" + b"".join(pieces) + last
    steps = [*(_append(path, each) for each in pieces), _append(path, last), path.unlink]
    found = _lines(follow(str(path), sleep=_writer(steps), max_line_bytes=LIMIT))
    expected = list(split_lines([whole], str(path), LIMIT))
    assert _items(found[:-1]) == expected
    assert isinstance(found[-1].data, Damage)
    assert found[-1].end == len(whole)


def test_offsets_lead_to_what_is_behind_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\n\nthree\nfo")
    found = _lines(follow(str(path), until=lambda: True))
    assert [each.end for each in found] == [4, 5, 11]
    again = _lines(follow(str(path), offset=5, line=2, until=lambda: True))
    assert again == found[2:]


def test_line_without_its_newline_waits_and_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\ntw")
    steps = [_append(path, b"o"), _append(path, b"\nthr")]
    pauses: list[int] = []
    ends = iter([False, False, True])
    found = []
    for each in follow(str(path), sleep=_writer(steps), until=lambda: next(ends)):
        if isinstance(each, Pause):
            pauses.append(each.waiting)
        else:
            found.append(each.data)
    assert (found, pauses) == ([b"one", b"two"], [2, 3, 3])


@pytest.mark.parametrize("how", ["shorter", "vanished", "replaced"])
def test_end_of_the_file_is_said_behind_all_that_was_there(tmp_path: Path, how: str) -> None:
    path, other = tmp_path / "x", tmp_path / "y"
    path.write_bytes(b"one\ntwo\nthr")
    other.write_bytes(b"other file\n")

    def cut() -> None:
        os.truncate(path, 5)

    def replace() -> None:
        _append(path, b"ee")()
        other.replace(path)

    steps = {"shorter": cut, "vanished": path.unlink, "replaced": replace}
    found = _lines(follow(str(path), sleep=_writer([steps[how]])))
    last = b"three" if how == "replaced" else b"thr"
    assert [each.data for each in found[:-1]] == [b"one", b"two", last]
    damage = found[-1].data
    assert isinstance(damage, Damage)
    assert how in damage.reason
    assert (damage.place.source, damage.place.line, damage.loses) == (str(path), 4, True)
    assert damage.found
    assert damage.allowed


def test_line_over_the_limit_is_damage_wherever_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a\n" + b"b" * 15)
    steps = [_append(path, b"b" * 15), _append(path, b"bb\nc\n"), path.unlink]
    found = _lines(follow(str(path), sleep=_writer(steps), max_line_bytes=LIMIT))
    whole = b"a\n" + b"b" * 32 + b"\nc\n"
    assert _items(found[:-1]) == list(split_lines([whole], str(path), LIMIT))
    assert [each.end for each in found[:-1]] == [2, 35, 37]


def test_packed_file_cannot_be_followed(tmp_path: Path) -> None:
    for head, kind in ((gzip.compress(b"x\n"), "gzip"), (b"\x28\xb5\x2f\xfd12\n", "zstd")):
        path = tmp_path / kind
        path.write_bytes(head[:1])
        with pytest.raises(InputError, match=f"packed \\({kind}\\)"):
            list(follow(str(path), sleep=_writer([_append(path, head[1:])])))


def test_what_cannot_be_opened_is_an_input_error(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"ab\n")
    for path, offset in ((tmp_path / "no", 0), (tmp_path, 0), (Path("a\0b"), 0), (short, 4)):
        with pytest.raises(InputError):
            next(follow(str(path), offset=offset, line=1))


def test_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    found = follow(str(path), until=_never)
    assert next(found) == Pause(0)  # nobody writes yet: it is no end
    writer = os.open(path, os.O_WRONLY)
    os.write(writer, b"one\ntw")
    assert next(found) == Line(1, b"one", 4)
    assert next(found) == Pause(2)
    os.write(writer, b"o\nthree")
    os.close(writer)
    assert list(found) == [Line(2, b"two", 8), Line(3, b"three", 13)]


def test_empty_file_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    found = _lines(follow(str(path), sleep=_writer([_append(path, b"a\n"), path.unlink])))
    assert found[0] == Line(1, b"a", 2)
    with pytest.raises(InputError):
        next(read_lines(str(tmp_path / "x")))
