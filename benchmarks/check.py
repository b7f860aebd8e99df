"""Measure checking: `python -m benchmarks.check [--shared] [--long] [FILE ...]`.

For each recording: how many records of the wire a second msgspec decodes (the lines of the wire
alone, into plain objects), `traces.load` reads (wire and log, into one trace), and `check` judges,
and how many times longer judging takes than decoding and than loading, on the same bytes in the
same run. Then the same for synthetic traces, each ten times the one before. At last the cost of a
fleet of 1,000 bdevs and 64 connections: time and memory, each step in a process of its own.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec

from bdevcheck.conformance import Report, check
from bdevcheck.traces import InputError, Trace, load
from benchmarks import scale
from benchmarks.measure import REPEATS, Timed, header, rate, ratio, show, timed
from benchmarks.rounds import Shape, write

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "traces" / "corpus"
SHARED = ROOT.parent / "shared" / "recordings"

SIZES, LONG_SIZES = (10_000, 100_000), (1_000_000, 10_000_000)
"""Records of the fleets that are measured."""

COLUMNS = (
    "recording", "records", "log lines", "msgspec/s", "load/s", "check/s",
    "check ÷ msgspec", "check ÷ load", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """How long decoding, loading and judging of one recording took, in seconds."""

    name: str
    records: int
    log_lines: int
    decode: float
    load: float
    check: float
    verdict: str

    def row(self) -> list[str]:
        """Return the row of the table."""
        return [
            self.name,
            f"{self.records:,}",
            f"{self.log_lines:,}",
            rate(self.records, self.decode),
            rate(self.records, self.load),
            rate(self.records, self.check),
            ratio(self.check, self.decode),
            ratio(self.check, self.load),
            self.verdict,
        ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of recordings, one of synthetic traces, and one of fleets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="one recording")
    parser.add_argument("--shared", action="store_true", help="all of ../shared/recordings")
    parser.add_argument("--long", action="store_true", help="fleets of 10^6 and 10^7 records")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="runs (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, nargs="*", default=[1000, 10_000], help="records of synthetic traces"
    )
    parser.add_argument("--sizes", type=int, nargs="*", help="records of fleets (10^4 and 10^5)")
    parser.add_argument(
        "--limit", type=float, default=600, help="seconds for each step (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    repeats = chosen.repeats
    recordings = (
        [chosen.files] if chosen.files else _recordings(SHARED if chosen.shared else CORPUS)
    )
    try:
        measured = [measure(_name_of(files), files, repeats) for files in recordings]
    except InputError as error:
        parser.error(str(error))
    title = "records of the wire per second"
    show(
        header(f"Recordings, {title}", repeats),
        COLUMNS,
        [each.row() for each in _with_sum(measured)],
    )
    grown = [each.row() for each in _synthetic(chosen.rounds, repeats)]
    if grown:
        show(header(f"Synthetic traces, {title}", repeats), COLUMNS, grown)
    usual = LONG_SIZES if chosen.long else SIZES
    _show_fleets(usual if chosen.sizes is None else chosen.sizes, chosen.limit)


def _show_fleets(sizes: Sequence[int], limit: float) -> None:
    if not sizes:
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [each.row() for each in scale.growth(Path(folder), sizes, limit)]
    show(header("Fleets, each step a process", 1), scale.COLUMNS, rows)


def measure(name: str, files: Sequence[Path], repeats: int = REPEATS) -> Measured:
    """Measure one recording: its wire, its log, or both."""
    loaded: Timed[Trace] = timed(lambda: load(files), repeats)
    trace = loaded.value
    judged: Timed[Report] = timed(lambda: check(trace), repeats)
    lines = _wire_lines(trace)
    decode = timed(lambda: [_is_decoded(line) for line in lines], repeats) if lines else None
    return Measured(
        name=name,
        records=len(lines),
        log_lines=trace.log.line_count if trace.log is not None else 0,
        decode=decode.seconds if decode is not None else 0.0,
        load=loaded.seconds,
        check=judged.seconds,
        verdict=str(judged.value.verdict),
    )


_decode = msgspec.json.Decoder().decode


def _is_decoded(line: bytes) -> bool:
    try:
        _decode(line)
    except ValueError:
        return False  # a few recordings hold what msgspec refuses and load reads with more patience
    return True


def _wire_lines(trace: Trace) -> list[bytes]:
    return Path(trace.wire.source).read_bytes().splitlines() if trace.wire is not None else []


def _recordings(folder: Path) -> list[list[Path]]:
    """Return the files of every recording below `folder`: the wire, and the log where it has one.

    Beside the corpus as it is, each wire alone is another case, which the small corpus affords.
    """
    if not folder.is_dir():
        raise SystemExit(f"{folder.name}: no such folder")
    found: list[list[Path]] = []
    for wire in sorted(folder.rglob("*.wire.jsonl")):
        log = wire.with_name(wire.name.replace(".wire.jsonl", ".log"))
        found += [[wire, log]] if log.exists() else []
        found += [[wire]] if folder == CORPUS or not log.exists() else []
    return found


def _name_of(files: Sequence[Path]) -> str:
    name = files[0].name.removesuffix(".wire.jsonl")
    return f"{files[0].parent.name}/{name}" + (" + log" if len(files) > 1 else "")


def _with_sum(measured: Sequence[Measured]) -> Iterable[Measured]:
    yield from measured
    if len(measured) > 1:
        yield Measured(
            f"sum of {len(measured)}",
            sum(each.records for each in measured),
            sum(each.log_lines for each in measured),
            sum(each.decode for each in measured),
            sum(each.load for each in measured),
            sum(each.check for each in measured),
            "",
        )


def _synthetic(sizes: Sequence[int], repeats: int) -> Iterator[Measured]:
    """Yield synthetic traces; those with waits a tenth as long, as their time grows faster."""
    kinds = [("own names", 0, False), ("8 names", 8, False), ("waits", 0, True)]
    with tempfile.TemporaryDirectory() as folder:
        for (kind, names, waits), log in product(kinds, (True, False)):
            for size in sizes:
                shape = Shape(size // 10 if waits else size, names=names, waits=waits)
                files = write(Path(folder), shape, log=log)
                yield measure(f"{kind} + log" if log else kind, files, repeats)


if __name__ == "__main__":
    main()
