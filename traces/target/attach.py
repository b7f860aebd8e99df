"""Put a JSON-RPC server before a target."""

from __future__ import annotations

from collections.abc import Callable

from bdevcheck.traces.target.rpc.rpclog import RpcLog
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.target import Target


def attach(
    target: Target, *, rpc_log: Callable[[str], None] | None = None, rpc_log_into_log: bool = False
) -> Server:
    """Return a server whose calls the target carries out.

    `rpc_log` takes the lines of the log of requests, as the file of it would have them;
    `rpc_log_into_log` writes them into the target's log, as its level would (LIFECYCLE 2.10).
    """
    from bdevcheck.traces.target.rpc.dispatch import dispatch

    rubbish = target.settings.variant.rpc_log_long_line_garbage
    return Server(
        target.reactor,
        target.settings,
        lambda call: dispatch(target, call),
        target.lives,
        target.log,
        RpcLog(target.log, rpc_log, rpc_log_into_log, has_rubbish=rubbish),
        target.framework,
    )
