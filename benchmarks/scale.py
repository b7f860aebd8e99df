"""Measure checking at the scale of a fleet, each step in a process of its own.

    python -m benchmarks.scale {decode,load,check} WIRE [LOG]

runs one step once and prints what it cost as JSON. `growth` makes recordings and runs all three.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bdevcheck.conformance import check_files
from bdevcheck.conformance.text import lines_of
from bdevcheck.traces import load
from benchmarks.measure import rate, ratio
from benchmarks.synthetic import Scale, distribution, write_scale

ROOT = Path(__file__).resolve().parent.parent

COLUMNS = (
    "fleet", "records", "MiB", "decode s", "load s", "check s", "records/s", "check ÷ decode",
    "decode MiB", "load MiB", "check MiB", "obligations", "decided", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """What one step took: CPU time in seconds, and the most memory that its process held in MiB.

    `found` says what came out, `obligations` how many were judged, `decided` which share of them.
    `ended`: it was ended at the limit, and is at least that dear.
    """

    seconds: float
    mib: float = 0.0
    found: str = ""
    obligations: int = 0
    decided: float = 0.0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Scaled:
    """What a recording of one size cost to decode, to load and to check."""

    name: str
    records: int
    mib: float
    decode: Cost
    load: Cost
    check: Cost

    def row(self) -> list[str]:
        """Return the row of the table; `-` where a step was ended."""
        done = not self.check.ended
        return [
            self.name,
            f"{self.records:,}",
            f"{self.mib:,.0f}",
            *(_seconds(cost) for cost in (self.decode, self.load, self.check)),
            rate(self.records, self.check.seconds) if done else "-",
            ratio(self.check.seconds, self.decode.seconds) if done else "-",
            *(_mib(cost) for cost in (self.decode, self.load, self.check)),
            f"{self.check.obligations:,}" if done else "-",
            f"{self.check.decided:.0%}" if done else "-",
            self.check.found if done else "(ended)",
        ]


def _seconds(cost: Cost) -> str:
    return f"> {cost.seconds:,.0f}" if cost.ended else f"{cost.seconds:.3g}"


def _mib(cost: Cost) -> str:
    return "-" if cost.ended else f"{cost.mib:,.0f}"


# -- the steps -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What a step gives to say of what came out."""

    text: str
    obligations: int = 0
    decided: float = 0.0


def decode_step(files: Sequence[Path]) -> Found:
    """Decode every line of the wire into plain objects, and keep none: the least there is to do."""
    decode, found = msgspec.json.Decoder().decode, 0
    with files[0].open("rb") as lines:
        for line in lines:
            decode(line)
            found += 1
    return Found(f"{found} lines")


def load_step(files: Sequence[Path]) -> Found:
    """Read the files into a trace, as a user of the library does."""
    trace = load(files)
    return Found(f"{len(trace.wire.records) if trace.wire is not None else 0} records")


def check_step(files: Sequence[Path]) -> Found:
    """Do all that `bdevcheck check` does with files, up to the text that it prints."""
    report = check_files(files)
    text = "\n".join(line.plain for line in lines_of(report))
    owed = sum(each.exercised for each in report.obligations.values())
    decided = sum(each.decided for each in report.obligations.values())
    share = decided / owed if owed else 0.0
    return Found(str(report.verdict) if text else "no text", owed, share)


STEPS = {"decode": decode_step, "load": load_step, "check": check_step}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step, and print its cost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="the wire, and its log")
    chosen = parser.parse_args(arguments)
    begun = time.process_time()
    found = STEPS[chosen.step](chosen.files)
    seconds = time.process_time() - begun
    cost = Cost(seconds, _most_mib(), found.text, found.obligations, found.decided)
    print(msgspec.json.encode(cost).decode())


def _most_mib() -> float:
    """Return the most memory that this process has held so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# -- from outside --------------------------------------------------------------------------------


def growth(folder: Path, sizes: Sequence[int], limit: float) -> Iterator[Scaled]:
    """Yield what a fleet costs at each size, then the worst case; the wire alone, and with its log.

    Recordings are made in `folder` and deleted again. `limit` is how many seconds of wall time
    each step gets; larger sizes are left out once a smaller one was ended at it.
    """
    for name, worst in (("fleet", False), ("worst", True)):
        ended: set[str] = set()
        for size in sorted(sizes):
            found = list(_measure(folder, name, Scale(size, worst=worst), limit, ended))
            ended |= {each.name for each in found if each.check.ended}
            yield from found


def _measure(
    folder: Path, name: str, scale: Scale, limit: float, without: Container[str]
) -> Iterator[Scaled]:
    wire, log = folder / "fleet.wire.jsonl", folder / "fleet.log"
    cases = [(name, [wire]), (f"{name} + log", [wire, log])]
    if all(case in without for case, _ in cases):
        return
    sizes = write_scale(wire, scale, log)
    print(f"{name}: {distribution(sizes)}", flush=True)
    for case, files in cases:
        if case not in without:
            costs = [run_step(step, files, limit) for step in STEPS]
            yield Scaled(case, sizes.total(), wire.stat().st_size / 2**20, *costs)
    wire.unlink()
    log.unlink()


def run_step(step: str, files: Sequence[Path], limit: float) -> Cost:
    """Run one step in a process of its own.

    A step that fails raises RuntimeError with what it said.
    """
    command = [sys.executable, "-m", "benchmarks.scale", step, *(f"{each}" for each in files)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return Cost(limit, ended=True)
    if done.returncode:
        raise RuntimeError(f"{step} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return msgspec.json.decode(done.stdout, type=Cost)


if __name__ == "__main__":
    main()
