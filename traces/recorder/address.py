"""Where clients come, and where the target is."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from bdevcheck.traces.target.serve.address import AddressError, Listener, listen_unix

TCP = "tcp:"
_LAST_PORT = 65535
NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
"""Errors of who may open no more files now, and may again when somebody closes one."""


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a target, as `connect` of its family takes it."""

    family: socket.AddressFamily
    address: str | tuple[str, int] | tuple[str, int, int, int]


def target_of(text: str) -> Target:
    """Return the address of a target: a path of a Unix socket, or ``tcp:HOST:PORT``.

    Names are looked up here, once. Raises `AddressError`.
    """
    if not text.startswith(TCP):
        return Target(socket.AF_UNIX, text)
    host, _, port = text.removeprefix(TCP).rpartition(":")
    try:
        if not (host and port.isascii() and port.isdigit() and int(port) <= _LAST_PORT):
            raise ValueError("an address is tcp:HOST:PORT")
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError, OverflowError) as error:
        raise AddressError(f"{text}: {error}") from error
    family, *_, address = found[0]
    assert isinstance(address[0], str)
    return Target(family, address)


def listen(path: Path, *, force: bool = False) -> Listener:
    """Listen at a Unix socket that only its owner may use. Raises `AddressError`.

    What exists is left alone and refused; `force` replaces a socket that nobody listens at.
    """
    if not force and os.path.lexists(path):
        help_ = "--force replaces a socket that nobody listens at"
        raise AddressError(f"{path} exists: choose another name ({help_})")
    return listen_unix(path)


def begin_connect(target: Target) -> tuple[socket.socket, int]:
    """Begin to connect to a target; return the socket, and 0 if it is connected already.

    EINPROGRESS: it is writable when that is decided. EAGAIN: the target has no room for it now, so
    it is to be tried again (`again`). Raises OSError; with one of NO_DESCRIPTOR this is to be tried
    again.
    """
    connecting = socket.socket(target.family, socket.SOCK_STREAM)
    connecting.setblocking(False)
    return connecting, again(connecting, target)


def again(connecting: socket.socket, target: Target) -> int:
    """Try to connect, as `begin_connect` does; closes the socket if that fails."""
    code = connecting.connect_ex(target.address)
    if code in (0, errno.EINPROGRESS, errno.EAGAIN):
        return code
    connecting.close()
    raise OSError(code, os.strerror(code))
