"""The addresses that a target listens at: a Unix socket of its own, or a TCP port on loopback.

As SPDK does (spdk_rpc_server_listen, lib/rpc/rpc.c of v26.05), the socket `PATH` is guarded by a
locked file `PATH.lock`: whoever has the lock may remove a socket that a dead process left. Beyond
SPDK: nothing but such a socket is ever removed, and only the owner may connect.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BACKLOG = 512
"""Clients whom the kernel keeps waiting, as listen() of SPDK asks for."""
LOOPBACK = "127.0.0.1"


class AddressError(Exception):
    """Nobody can listen there; the text says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens.

    `close` ends it and removes what was made for it; `abandon` leaves files as a dead process does.
    """

    socket: socket.socket
    name: str
    close: Callable[[], None]
    abandon: Callable[[], None]


def listen_tcp(port: int) -> Listener:
    """Listen at a port of this machine, 0 for any that is free. Raises `AddressError`."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _listen(listening, (LOOPBACK, port), f"port {port}")
    return Listener(
        listening, f"{LOOPBACK}:{listening.getsockname()[1]}", listening.close, listening.close
    )


def listen_unix(path: Path) -> Listener:
    """Listen at a Unix socket that only its owner may use. Raises `AddressError`.

    A socket that nobody listens at is replaced; any other file is left alone, and refused.
    """
    lock = _lock(path)
    try:
        _clear(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _only_owner():
            _listen(listening, str(path), str(path))
    except AddressError:
        _unlock(path, lock)
        raise
    mine = _identity(path)

    def close() -> None:
        listening.close()
        if _identity(path) == mine:
            path.unlink()
        _unlock(path, lock)

    def abandon() -> None:
        listening.close()
        os.close(lock)

    return Listener(listening, str(path), close, abandon)


def _listen(listening: socket.socket, address: str | tuple[str, int], shown: str) -> None:
    try:
        listening.bind(address)
        listening.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise AddressError(f"cannot listen at {shown}: {reason}") from error
    listening.setblocking(False)


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _lock(path: Path) -> int:
    """Take the lock of a socket and return its descriptor."""
    lock = _lock_of(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AddressError(f"cannot open lock file {lock}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AddressError(f"socket {path} is in use, choose another") from error
    if os.fstat(descriptor).st_size:
        os.close(descriptor)
        raise AddressError(f"{lock} is no lock file: it has contents")
    return descriptor


def _unlock(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        _lock_of(path).unlink()
    os.close(descriptor)


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens at."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise AddressError(f"{path}: {error.strerror}") from error
    if not stat.S_ISSOCK(found.st_mode):
        raise AddressError(f"{path} exists and is no socket: it is left alone")
    if _answers(path):
        raise AddressError(f"somebody else listens at {path}")
    path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # a full backlog: somebody has one
        except OSError:
            return False
    return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _only_owner() -> Iterator[None]:
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
