"""Serve an emulated target on sockets, in real or in virtual time."""

from bdevcheck.traces.target.serve.address import AddressError, listen_tcp, listen_unix
from bdevcheck.traces.target.serve.config import ConfigError
from bdevcheck.traces.target.serve.front import OnAbort, Pace, serve

__all__ = [
    "AddressError",
    "ConfigError",
    "OnAbort",
    "Pace",
    "listen_tcp",
    "listen_unix",
    "serve",
]
