"""How much later a reply comes when a recorder stands between a client and its target.

A client asks a trivial target, again and again and one request at a time: straight, through a
recorder, and through one that judges. Blocks of each take turns, so all have the same machine.
Client, target and recorder are processes of their own. Wall time: waiting is what is measured.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from benchmarks.measure import rate, ratio, show

COLUMNS = ("way", "round trips", "median µs", "p99 µs", "median ÷ direct", "p99 ÷ direct", "a s")
BLOCKS = 10

REQUEST = b'{"jsonrpc":"2.0","method":"bdev_get_bdevs","id":%d}'
_REPLY = b'{"jsonrpc":"2.0","id":%d,"result":[]}'
_TARGET = """
import re, select, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
print("ready", flush=True)
clients = [listening.accept()[0] for _ in range(int(sys.argv[2]))]
while True:
    for client in select.select(clients, [], [])[0]:
        data = client.recv(65536)
        if not data:
            sys.exit()
        number = re.search(rb'"id":(\\d+)', data)[1]
        client.sendall(b'{"jsonrpc":"2.0","id":%s,"result":[]}' % number)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000, help="round trips of each block")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help="blocks of each way")
    asked = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.rounds, asked.blocks)
    title = f"Recorder: {os.cpu_count()} CPUs, wall time, {asked.blocks} blocks in turn"
    show(title, COLUMNS, [_row(way, spent, found["direct"]) for way, spent in found.items()])


def measure(folder: Path, rounds: int, blocks: int) -> dict[str, list[float]]:
    """Return the seconds that each round trip took, by way."""
    target = folder / "target.sock"
    with ExitStack() as stack:
        stack.enter_context(_process("-c", _TARGET, str(target), "3"))
        ways = {"direct": target, "recorded": folder / "1.sock", "judged": folder / "2.sock"}
        for way, more in (("recorded", ()), ("judged", ("--check",))):
            path = str(ways[way])
            options = ["--target", str(target), "--listen", path, "-o", f"{path}.jsonl.gz", *more]
            stack.enter_context(_process("-m", "bdevcheck", "record", *options))
        clients = {way: stack.enter_context(_connect(path)) for way, path in ways.items()}
        found: dict[str, list[float]] = {way: [] for way in clients}
        for block in range(blocks):
            for way, client in clients.items():
                numbers = range(block * rounds, (block + 1) * rounds)
                found[way] += [_round_trip(client, number) for number in numbers]
        return found


def _round_trip(client: socket.socket, number: int) -> float:
    asked, wanted = REQUEST % number, len(_REPLY % number)
    begun = time.perf_counter()
    client.sendall(asked)
    got = len(client.recv(65536))
    while got < wanted:
        got += len(client.recv(65536))
    return time.perf_counter() - begun


def _connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return client


@contextmanager
def _process(*arguments: str) -> Iterator[None]:
    """Run a process until the context is left, from the moment on when it has said something."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield
        finally:
            process.terminate()


def _row(way: str, spent: list[float], direct: list[float]) -> tuple[str, ...]:
    middle, late = median(spent), _p99(spent)
    ratios = (ratio(middle, median(direct)), ratio(late, _p99(direct)))
    times = (f"{middle * 1e6:.0f}", f"{late * 1e6:.0f}")
    return (way, f"{len(spent):,}", *times, *ratios, rate(len(spent), sum(spent)))


def _p99(spent: list[float]) -> float:
    return quantiles(spent, n=100)[98]


if __name__ == "__main__":
    main()
