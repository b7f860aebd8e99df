"""Opening inputs and cutting them into lines."""

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from bdevcheck.traces import Damage, Form, InputError, detect, read_lines
from bdevcheck.traces.source import split_lines

TEXT = b"".join(b"line %d %x\n" % (n, n * 7919) for n in range(5000))
LINES = TEXT.split(b"\n")[:-1]


def _write(folder: Path, data: bytes, name: str = "input") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def _read(path: str) -> tuple[list[bytes], list[Damage]]:
    items = list(read_lines(path))
    lines = [data for _, data in items if isinstance(data, bytes)]
    return lines, [data for _, data in items if isinstance(data, Damage)]


def _zstd(data: bytes) -> bytes:
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)  # type: ignore[no-any-return]


def test_lines_count_from_one(tmp_path: Path) -> None:
    assert list(read_lines(_write(tmp_path, b"a\n\nb"))) == [(1, b"a"), (2, b""), (3, b"b")]


def test_gzip_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert _read(_write(tmp_path, gzip.compress(TEXT))) == (LINES, [])


def test_zstd_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert _read(_write(tmp_path, _zstd(TEXT))) == (LINES, [])


def test_members_in_a_row_are_one_input(tmp_path: Path) -> None:
    half = len(TEXT) // 2
    gzipped = gzip.compress(TEXT[:half]) + gzip.compress(TEXT[half:]) + b"\0" * 512
    assert _read(_write(tmp_path, gzipped)) == (LINES, [])
    assert _read(_write(tmp_path, _zstd(TEXT[:half]) + _zstd(TEXT[half:]))) == (LINES, [])


def test_name_ending_in_gz_does_not_matter(tmp_path: Path) -> None:
    assert _read(_write(tmp_path, TEXT, "plain.gz")) == (LINES, [])


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"a\nb\n"))))
    assert list(read_lines("-")) == [(1, b"a"), (2, b"b")]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_cut_packing_keeps_what_could_be_read(tmp_path: Path, kind: str) -> None:
    noise = b"".join(b"%s\n" % os.urandom(40).hex().encode() for _ in range(5000))
    packed = gzip.compress(noise) if kind == "gzip" else _zstd(noise)
    lines, damage = _read(_write(tmp_path, packed[: len(packed) * 2 // 3]))
    assert len(lines) > 1000
    assert lines[:-1] == noise.split(b"\n")[: len(lines) - 1]
    assert [each.loses for each in damage] == [True]
    assert f"{kind} data is cut" in damage[0].reason


def test_corrupt_gzip_keeps_what_precedes_the_defect(tmp_path: Path) -> None:
    noise = b"".join(b"%s\n" % os.urandom(40).hex().encode() for _ in range(5000))
    packed = bytearray(gzip.compress(noise))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xff" * 64
    lines, damage = _read(_write(tmp_path, bytes(packed)))
    assert lines[:1000] == noise.split(b"\n")[:1000]
    assert [each.loses for each in damage] == [True]


def test_bytes_after_the_packed_data_are_damage(tmp_path: Path) -> None:
    lines, damage = _read(_write(tmp_path, gzip.compress(TEXT) + b"tail"))
    assert lines == LINES
    assert "after the end" in damage[0].reason


def test_zstd_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path, b"\x28\xb5\x2f\xfd....")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(InputError, match="pip install"):
        _read(path)


@pytest.mark.parametrize("data", [b"", gzip.compress(b""), gzip.compress(b"")[:5]])
def test_empty_input_is_an_input_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match=r"is empty|nothing in it can be read"):
        _read(_write(tmp_path, data))


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        _read(str(tmp_path / "none"))


def test_directory_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        _read(str(tmp_path))


def test_name_that_no_file_can_have_is_an_input_error() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        _read("a\0b")


def test_file_without_permission_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path, TEXT)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything, so chmod tells nothing
    with pytest.raises(InputError, match="no permission"):
        _read(path)


@pytest.mark.parametrize("cut", [3, 11, 40])
def test_line_over_the_limit_is_damage_and_the_next_is_read(cut: int) -> None:
    data = b"short\n" + b"x" * 30 + b"\nnext\n"
    items = list(split_lines([data[:cut], data[cut:]], "a", max_line_bytes=10))
    assert [number for number, _ in items] == [1, 2, 3]
    assert (items[0][1], items[2][1]) == (b"short", b"next")
    assert isinstance(items[1][1], Damage)
    assert items[1][1].loses


def test_lines_do_not_depend_on_where_chunks_end() -> None:
    data = b"a\n\nbcd\ne"
    whole = list(split_lines([data], "a"))
    for cut in range(len(data) + 1):
        assert list(split_lines([data[:cut], data[cut:]], "a")) == whole


def test_form_is_told_by_the_first_line_that_tells() -> None:
    lines = [b"\x00\xff", b"+ rpc.py", b'{"seq": 1, "kind": "meta"}']
    form, items = detect(enumerate(lines, 1), "a")
    assert form is Form.WIRE
    assert [data for _, data in items] == lines


def test_log_without_times_is_a_log() -> None:
    form, _ = detect([(1, b"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev a into list")], "a")
    assert form is Form.LOG


def test_unrecognisable_input_says_what_it_begins_with() -> None:
    with pytest.raises(InputError, match=r"a:2: nothing recognisable .* b'hello'"):
        detect([(1, b""), (2, b"hello")], "a")
