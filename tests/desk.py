"""A JSON-RPC server of the emulated target with a few methods of its own, for tests of the server.

`now` answers with its parameters, `later` after some milliseconds, `never` does not answer, `fail`
answers with an error, `big` with a long string.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.lives import Life, Lives
from bdevcheck.traces.target.local import LocalConnection, LocalWire
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.rpclog import RpcLog
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.settings import Settings

OLD = ("buggy", "fix-commit", "fixed")
ALL = (*OLD, "modern")
INVALID = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}\n'


@dataclass
class Desk:
    """A server, what it logged, and the calls that it did not answer."""

    server: Server
    lines: list[str]
    rpc_lines: list[str]
    held: list[Call] = field(default_factory=list)
    served: list[Call] = field(default_factory=list)

    @property
    def reactor(self) -> Reactor:
        return self.server.reactor

    def open(self) -> LocalConnection:
        wire = LocalWire()
        return LocalConnection(wire, self.server.accept(wire))

    def pass_ms(self, ms: float) -> None:
        self.reactor.run_until(self.reactor.now_ns + int(ms * MS))

    def talk(self, *pieces: bytes, ms: float = 40) -> LocalConnection:
        """Connect, send pieces, each at its own poll, and let time pass."""
        client = self.open()
        for piece in pieces:
            client.send(piece)
            self.pass_ms(8)
        self.pass_ms(ms)
        return client

    def texts(self) -> list[str]:
        """Return the log's lines, from their level on."""
        return [line.partition(": *")[2].rstrip("\n") for line in self.lines]

    def slots(self) -> dict[str, int]:
        """Return how many connections hold a place."""
        return {"held": len(self.server.connections), "free": len(self.server.free)}


def desk(
    variant: str = "modern",
    *,
    logged: bool = False,
    framework: Life | None = None,
    faults: frozenset[str] = frozenset(),
) -> Desk:
    """Return a server of one version; `logged` switches the log of requests on."""
    reactor = Reactor()
    lines: list[str] = []
    rpc_lines: list[str] = []
    log = Log(reactor, lines.append, flags={"rpc"})
    settings = Settings(VARIANTS[variant], faults)
    rpc_log = RpcLog(log, rpc_lines.append if logged else None)
    made: list[Desk] = []
    server = Server(
        reactor, settings, lambda call: _dispatch(made[0], call), Lives(), log, rpc_log, framework
    )
    made.append(Desk(server, lines, rpc_lines))
    return made[0]


def _dispatch(desk: Desk, call: Call) -> None:
    desk.served.append(call)
    if call.method == "now":
        call.reply(call.given)
    elif call.method == "later":
        assert isinstance(call.given, dict)
        desk.reactor.after(int(call.given["ms"] * MS), lambda: call.reply(call.given))
    elif call.method == "fail":
        call.refuse(-19)
    elif call.method == "fail_later":
        desk.reactor.after(20 * MS, lambda: call.refuse(-5))
    elif call.method == "big":
        assert isinstance(call.given, list)
        call.reply("x" * call.given[0])
    elif call.method == "never":
        desk.held.append(call)
    else:
        call.refuse(-32601, "Method not found")
