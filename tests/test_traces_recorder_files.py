"""The files of a recorder: what is left alone, parts, and when the disk has what was written."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.traces import Request, load
from bdevcheck.traces.recorder import Options, recording
from bdevcheck.traces.recorder.sink import OutputError, open_sink, part_of
from bdevcheck.traces.target.serve.address import AddressError
from tests.relay import receive, relay, request, until


def test_socket_and_trace_are_the_owners_alone_and_the_socket_is_removed(tmp_path: Path) -> None:
    with relay(tmp_path) as made:
        for path, mode in ((made.path, stat.S_IFSOCK | 0o600), (made.output, stat.S_IFREG | 0o600)):
            assert path.stat().st_mode == mode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["target.sock", "trace.jsonl"]


def test_what_exists_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    for options in (Options(), Options(force=True)):
        with (
            pytest.raises(AddressError),
            recording("t", tmp_path / "kept", tmp_path / "o", options),
        ):
            pass
        with (
            pytest.raises(OutputError, match="choose another name"),
            recording("t", tmp_path / "p", tmp_path / "kept", options),
        ):
            pass
    assert (tmp_path / "kept").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_dead_socket_is_replaced_by_force_only_and_a_live_one_never(tmp_path: Path) -> None:
    path, output = tmp_path / "p", tmp_path / "o.jsonl"
    alive = socket.socket(socket.AF_UNIX)
    alive.bind(str(path))
    alive.listen()
    force = Options(force=True)
    with pytest.raises(AddressError, match="somebody else"), recording("t", path, output, force):
        pass
    alive.close()
    with pytest.raises(AddressError, match="--force"), recording("t", path, output):
        pass
    with recording("t", path, output, force):
        pass
    assert not os.path.lexists(path)


@pytest.mark.parametrize("text", ["tcp:host", "tcp::1", "tcp:localhost:x", "tcp:localhost:65536"])
def test_address_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AddressError), recording(text, tmp_path / "p", tmp_path / "o"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ends", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_parts_of_a_rotated_trace_are_one_when_put_together(tmp_path: Path, ends: str) -> None:
    options = Options(rotate_bytes=4096, fsync="always")
    with relay(tmp_path, ends=ends, options=options) as made:
        client, target = made.connect()
        with client, target:
            for number in range(300):
                data = request(number, params={"name": os.urandom(100).hex()})
                client.sendall(data)
                receive(target, len(data))
    parts = sorted(tmp_path.glob(f"trace.*{ends}"))
    assert len(parts) > 2
    assert parts[0].name == f"trace.000001{ends}"
    whole = tmp_path / f"whole{ends}"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    wire = load([whole]).wire
    assert wire is not None
    assert (wire.damage, wire.complete_to_end) == ((), True)
    assert [each.id for each in wire.records if isinstance(each, Request)] == list(range(300))
    with pytest.raises(OutputError), recording("t", tmp_path / "q", made.output, options):
        pass


def test_part_goes_on_while_no_descriptor_is_left_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = open_sink(tmp_path / "t.jsonl", rotate_bytes=10)
    sink.write(b"0123456789\n")
    assert sink.is_full
    monkeypatch.setattr(os, "open", _no_descriptor)
    sink.rotate(to_disk=False)
    sink.write(b"more\n")
    monkeypatch.undo()
    sink.rotate(to_disk=False)
    sink.write(b"next\n")
    sink.close(to_disk=False)
    assert sink.parts == [part_of(sink.path, 1), part_of(sink.path, 2)]
    assert [part.read_bytes() for part in sink.parts] == [b"0123456789\nmore\n", b"next\n"]


def _no_descriptor(*_: object) -> int:
    raise OSError(errno.EMFILE, "Too many open files")


# -- the disk --------------------------------------------------------------------------------------


def _note_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return where the size of the file is noted whenever the disk is told to have it."""
    sizes: list[int] = []

    def note(file: int) -> None:
        sizes.append(os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", note)
    return sizes


@pytest.mark.parametrize("seconds", [0.05, 0.6])
def test_disk_has_what_was_written_after_so_many_seconds_of_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    sizes = _note_syncs(monkeypatch)
    with relay(tmp_path, options=Options(fsync=seconds)) as made:
        client, target = made.connect()
        with client, target:
            client.sendall(request(1))
            receive(target, len(request(1)))
            until(lambda: b'"id": 1' in made.output.read_bytes())
            until(lambda: sizes[-1:] == [made.output.stat().st_size])
            many = len(sizes)
            time.sleep(4 * seconds)
            assert len(sizes) == many  # there is nothing new to keep


@pytest.mark.parametrize(("fsync", "many"), [("never", 0), ("end", 1)])
def test_disk_is_not_told_before_the_end_unless_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: Any, many: int
) -> None:
    sizes = _note_syncs(monkeypatch)
    with relay(tmp_path, options=Options(fsync=fsync)) as made:
        client, target = made.connect()
        with client, target:
            client.sendall(request(1))
            until(lambda: b'"id": 1' in made.output.read_bytes())
            assert sizes == []
    assert len(sizes) == many
