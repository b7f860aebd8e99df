"""Make recordings of a fleet at work: `python -m benchmarks.synthetic --records 1000000 -o FILE`.

A thousand bdevs live, mostly volumes of a few lvstores, and 64 connections work at once, as the
nodes of a driver of volumes do; or, with --worst, all connections create and delete bdevs of
distinct names without a pause. The target is one that conforms: it polls its sockets every 4 ms,
answers what is true, and a reply follows its effect. The bodies have all members that SPDK v26.05
prints. The same options give the same bytes. Written as it is made: memory does not grow with it.
"""

from __future__ import annotations

import argparse
import heapq
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TextIO

from benchmarks.client import Fleet, Session, churner, driver, setup
from benchmarks.target import Target, Work, handle

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
_START_NS = int(START.timestamp()) * 10**9
_BOOT_NS = 4517 * 10**9

POLL_US = 4000
"""How often SPDK polls its sockets."""
_WIRE_US = 120
"""How long a message takes between the target and the recorder."""
_THINK_US = 30_000
"""How long a client waits between a reply and its next request, on average."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is made: `records` of the wire, about, with `bdevs` alive and `connections` at work.

    A run ends with its calls answered: it has up to three records more for each connection, and
    never fewer than it takes to make the bdevs below the volumes.
    """

    records: int
    bdevs: int = 1000
    connections: int = 64
    seed: int = 1
    worst: bool = False


@dataclass(slots=True)
class Call:
    """One call on its way: the session that waits for it, and what is left to do."""

    session: Session
    conn: int
    number: int
    method: str
    params: dict[str, Any]
    work: Work | None = None
    reply: str = ""
    value: object = None


@dataclass(slots=True)
class Run:
    """A run under way: what happens next is first in `events`; `lines` are made and not given."""

    scale: Scale
    random: Random
    target: Target
    fleet: Fleet
    write_log: Callable[[str], object]
    events: list[tuple[int, int, Callable[[Run, int, Call], None], Call]] = field(
        default_factory=list
    )
    order: Iterator[int] = field(default_factory=count)
    lines: list[str] = field(default_factory=list)
    made: int = 0
    numbers: Counter[int] = field(default_factory=Counter)
    answered: set[int] = field(default_factory=set)


def wire_of(scale: Scale, write_log: Callable[[str], object] = len) -> Iterator[str]:
    """Yield the lines of the recording; those of the target's log go to `write_log` meanwhile."""
    run = _start(scale, write_log)
    now = 0
    while run.events:
        now, _, step, call = heapq.heappop(run.events)
        run.target.now_us = now
        step(run, now, call)
        yield from run.lines
        run.lines.clear()
    for conn in range(1, scale.connections + 1):
        _record(run, now + 1000, f'"kind": "close", "conn": {conn}, "dir": "c2s"', "client")
    _record(run, now + 2000, '"kind": "meta", "note": "proxy stopped"')
    yield from run.lines
    _print(run, now + 100_000, "bdev.c:4589:bdev_channel_destroy: *DEBUG*: Destroying channel")


def _start(scale: Scale, write_log: Callable[[str], object]) -> Run:
    random = Random(scale.seed)
    target = Target(random, lambda text: _print(run, target.now_us, text))
    run = Run(scale, random, target, Fleet(random, scale.bdevs), write_log)
    _print(run, -500_000, "Starting SPDK v26.05 git sha1 d519b163cb / DPDK 23.11.0 initialization")
    _print(run, -400_000, "bdev.c:4589:bdev_channel_create: *DEBUG*: Creating channel")
    _record(run, -2000, '"kind": "meta", "note": "proxy listening"')
    for conn in range(1, scale.connections + 1):
        _record(run, -1000, f'"kind": "open", "conn": {conn}')
    if scale.worst:
        _let_all_work(run, 0)
    else:
        _ask(run, 0, setup(run.fleet), 1)
    return run


def _let_all_work(run: Run, now: int) -> None:
    share = max(1, run.scale.bdevs // run.scale.connections)
    for conn in range(1, run.scale.connections + 1):
        session = churner(run.fleet, share) if run.scale.worst else driver(run.fleet)
        _ask(run, now + _pause_us(run), session, conn)


def _pause_us(run: Run) -> int:
    if run.scale.worst:
        return run.random.randrange(1, POLL_US)
    return 1 + int(run.random.expovariate(1 / _THINK_US))


# -- the way of a call ---------------------------------------------------------------------------


def _ask(run: Run, at: int, session: Session, conn: int, value: object = None) -> None:
    """Let a session say what it asks next; when the fleet stands, all connections set to work."""
    if run.made >= run.scale.records:
        return
    try:
        method, params = session.send(value)
    except StopIteration:
        _let_all_work(run, at)
        return
    run.numbers[conn] += 1
    _later(run, at, _request, Call(session, conn, run.numbers[conn], method, params))


def _later(run: Run, at: int, step: Callable[[Run, int, Call], None], call: Call) -> None:
    heapq.heappush(run.events, (at, next(run.order), step, call))


def _next_poll(at: int, conn: int) -> int:
    """Return when the target serves a connection next: one after the other in each poll."""
    return (at // POLL_US + 1) * POLL_US + 3 * conn


def _request(run: Run, now: int, call: Call) -> None:
    said: dict[str, object] = {"jsonrpc": "2.0", "method": call.method, "id": call.number}
    text = json.dumps({**said, "params": call.params} if call.params else said)
    _message(run, now, call.conn, "c2s", text, len(text), "")
    _later(run, _next_poll(now + _WIRE_US, call.conn), _dispatch, call)


def _dispatch(run: Run, now: int, call: Call) -> None:
    call.work = handle(run.target, call.method, call.params)
    if call.work.polls:
        _later(run, now + call.work.polls * POLL_US, _finish, call)
    else:
        _finish(run, now, call)


def _finish(run: Run, now: int, call: Call) -> None:
    assert call.work is not None
    answer = call.work.finish()
    call.reply, call.value = answer.text, answer.value
    _later(run, _next_poll(now, call.conn) + _WIRE_US, _reply, call)


def _reply(run: Run, now: int, call: Call) -> None:
    text = f'{{"jsonrpc": "2.0", "id": {call.number}, {call.reply}}}'
    # The target writes no blanks between members; no string that it writes here has such pairs.
    length = len(text) - text.count(", ") - text.count(": ")
    lead = '"lead_ws": "\\n", ' if call.conn in run.answered else ""
    run.answered.add(call.conn)
    _message(run, now, call.conn, "s2c", text, length, lead)
    _ask(run, now + _pause_us(run), call.session, call.conn, call.value)


# -- the forms -----------------------------------------------------------------------------------


def _message(
    run: Run, at: int, conn: int, direction: str, text: str, length: int, lead: str
) -> None:
    run.made += 1
    mono = _BOOT_NS + at * 1000
    run.lines.append(
        f'{{"seq": {run.made}, "kind": "msg", "conn": {conn}, "dir": "{direction}", '
        f'"ts_mono_ns": {mono}, "ts_wall_ns": {_START_NS + at * 1000}, "first_mono_ns": {mono}, '
        f'"len": {length}, {lead}"msg": {text}}}\n'
    )


def _record(run: Run, at: int, said: str, by: str = "") -> None:
    run.made += 1
    end = f', "by": "{by}"' if by else ""
    times = f'"ts_mono_ns": {_BOOT_NS + at * 1000}, "ts_wall_ns": {_START_NS + at * 1000}'
    run.lines.append(f'{{"seq": {run.made}, {said}, {times}{end}}}\n')


def _print(run: Run, at: int, text: str) -> None:
    run.write_log(f"[{START + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S.%f}] {text}\n")


# -- files, and what is said of them -------------------------------------------------------------


def write_scale(path: Path, scale: Scale, log: Path | None = None) -> Counter[int]:
    """Write the recording, and with `log` the target's log; return how many lines have each size.

    Sizes are bytes, with the end of the line.
    """
    with ExitStack() as stack:
        out = stack.enter_context(path.open("w", encoding="utf-8"))
        write_log = stack.enter_context(log.open("w", encoding="utf-8")).write if log else len
        return _copy(wire_of(scale, write_log), out)


def _copy(lines: Iterator[str], out: TextIO) -> Counter[int]:
    sizes: Counter[int] = Counter()
    for line in lines:
        out.write(line)
        sizes[len(line)] += 1  # all of it is ASCII
    return sizes


def distribution(sizes: Counter[int]) -> str:
    """Say how long the lines are: how many, the mean, and percentiles, in bytes."""
    total = sizes.total()
    mean = sum(size * many for size, many in sizes.items()) / total
    shares = (50, 90, 99, 99.9, 100)
    said = ", ".join(f"p{share:g} {_percentile(sizes, share):,}" for share in shares)
    return f"{total:,} lines, bytes a line: mean {mean:,.0f}, {said}"


def _percentile(sizes: Counter[int], share: float) -> int:
    """Return the smallest size that `share` per cent of the lines do not exceed."""
    wanted, seen = sizes.total() * share / 100, 0
    for size in sorted(sizes):
        seen += sizes[size]
        if seen >= wanted:
            break
    return size


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a recording, and print how long its lines are."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__)
    parser.add_argument("--records", type=_positive, default=100_000, help="default: %(default)s")
    parser.add_argument("--bdevs", type=_positive, default=1000, help="default: %(default)s")
    parser.add_argument("--connections", type=_positive, default=64, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--worst", action="store_true", help="only creates and deletes, all at once"
    )
    parser.add_argument("--log", type=Path, help="write the target's log too")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args(arguments)
    scale = Scale(chosen.records, chosen.bdevs, chosen.connections, chosen.seed, chosen.worst)
    print(distribution(write_scale(chosen.output, scale, chosen.log)), file=sys.stderr)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    main()
