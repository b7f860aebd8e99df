"""How fast the emulated target answers, and whether its memory stays flat.

    python -m benchmarks.emulated [--soak N] [--clients N]

In one run, so that ratios mean something: requests one by one through one connection in process,
pipelined, and over `--clients` connections at once, each against a bare reactor that only counts
its polls. Then a soak of creates, look-ups and deletes, with the memory at five points.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.local import LocalConnection, LocalLink
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin

NAMES = 16
"""How many bdevs live at once in the soak."""


def main() -> int:
    """Print requests per second, ratios, and the memory of the soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=int, default=20_000, metavar="N", help="requests")
    parser.add_argument("--clients", type=int, default=64, metavar="N")
    parser.add_argument("--requests", type=int, default=5_000, metavar="N")
    asked = parser.parse_args()
    bare = _rate(asked.requests, lambda: _polls(asked.requests))
    print(f"{'reactor alone, two polls a request':44} {bare:10,.0f} /s   1.00")
    for name, clients, burst in (
        ("one connection, one by one", 1, 1),
        ("one connection, 16 at once", 1, 16),
        (f"{asked.clients} connections, one each", asked.clients, 1),
    ):
        rate = _rate(asked.requests, partial(_ask, asked.requests, clients, burst))
        print(f"{name:44} {rate:10,.0f} /s {bare / rate:6.2f} times the reactor's time")
    _soak(asked.soak)
    return 0


def _rate(count: int, work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def _polls(count: int) -> None:
    reactor = Reactor()

    def poll() -> None:
        reactor.after(4 * MS, poll)

    poll()
    for _ in range(2 * count):
        reactor.run_next()


def _link() -> LocalLink:
    return LocalLink(begin(Settings(VARIANTS["modern"])))


def _ask(count: int, clients: int, burst: int) -> None:
    """Send requests in turn on all connections, `burst` at once, and wait for the answers."""
    link = _link()
    lines = [link.open() for _ in range(clients)]
    done = 0
    while done < count:
        for line in lines:
            line.send(b"".join(_request(n, "bdev_get_bdevs", {}) for n in range(burst)))
        _wait(link, lines, burst)
        done += clients * burst


def _request(number: int, method: str, params: dict[str, object]) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(message).encode()


def _wait(link: LocalLink, lines: list[LocalConnection], replies: int) -> None:
    while any(len(line.replies) < replies for line in lines):
        link.target.reactor.run_next()
    for line in lines:
        line.replies.clear()
        line.wire.received.clear()


def _soak(count: int) -> None:
    """Create, look up and delete bdevs; print the memory at five points."""
    link = _link()
    line = link.open()
    points = {count * part // 5 for part in range(1, 6)}
    for number in range(1, count + 1):
        line.send(_request(number, *_call(number)))
        _wait(link, [line], 1)
        if number in points:
            kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"soak: {number:10,} requests, {kib / 1024:8.1f} MiB at most")


def _call(number: int) -> tuple[str, dict[str, object]]:
    turn, name = number % 4, f"n{number // 4 % NAMES}"
    if turn == 0:
        return "bdev_null_create", {"name": name, "num_blocks": 64, "block_size": 512}
    if turn == 3:
        return "bdev_null_delete", {"name": name}
    return "bdev_get_bdevs", {"name": name} if turn == 1 else {}


if __name__ == "__main__":
    sys.exit(main())
