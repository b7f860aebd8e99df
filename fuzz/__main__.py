"""Fuzz the checker: `python -m fuzz [--records N] [--seed S] [--out FOLDER] [--replay FILE]`.

Exit codes: 0 nothing found, 1 something found, 2 usage, 130 interrupted before anything was found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fuzz import failure, guided
from fuzz.case import Pool, pool_of
from fuzz.finding import Finding
from fuzz.loop import Score, Span, run_loop
from fuzz.runner import LIMIT, Bench
from fuzz.sample import FOLDERS, samples_in

_MEMORY = Path("/dev/shm")
_SHOW_EVERY_S = 1.0
_SHOW_EVERY_S_UNWATCHED = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for, and return the exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.atheris is not None:
        return _guided(parser, chosen)
    with bench(chosen.limit) as place:
        if chosen.replay is not None:
            return _replay(parser, place, chosen.replay)
        ends = (chosen.records, chosen.cases, chosen.seconds)
        records = 10_000 if ends == (None, None, None) else chosen.records
        span = Span(chosen.seed, chosen.first, records, chosen.cases, chosen.seconds)
        score = run_loop(
            place,
            _pool(parser, chosen.recordings),
            span,
            watch=_progress(sys.stderr.isatty()),
            keep=lambda found: _keep(found, chosen.out),
        )
    _clear_line()
    print("\n".join(score.lines()))
    return 1 if score.failures else 130 if score.interrupted else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--records", type=int, help="records to mutate (default: 10000)")
    parser.add_argument("--cases", type=int, help="cases to try")
    parser.add_argument("--seconds", type=float, help="seconds to go on")
    parser.add_argument("--seed", type=int, default=0, help="of chance (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument(
        "--limit", type=float, default=LIMIT,
        help="times that an input may take longer than its recordings (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--recordings", type=Path, nargs="+", default=FOLDERS, metavar="FOLDER",
        help="where recordings are (default: the corpus, and ../shared/recordings)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("out/fuzz"), help="for failures (default: %(default)s)"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one failure again")
    parser.add_argument(
        "--atheris", nargs=argparse.REMAINDER, metavar="OPTION",
        help="let coverage guide it (needs the extra `fuzz`); all that follows is for libFuzzer",
    )  # fmt: skip
    return parser


@contextmanager
def bench(limit: float = LIMIT) -> Iterator[Bench]:
    """Make a place to run inputs, in memory where the system has a file system there."""
    parent = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="bdevcheck-fuzz-", dir=parent) as folder:
        yield Bench(Path(folder), limit=limit)


def _pool(parser: argparse.ArgumentParser, folders: Sequence[Path]) -> Pool:
    try:
        return pool_of(samples_in(folders))
    except ValueError as error:
        parser.error(f"{error}: {', '.join(map(str, folders))}")


def _keep(finding: Finding, folder: Path) -> None:
    path = failure.write(finding, folder)
    _clear_line()
    print(f"{finding.key}\n{finding.text}\n  python -m fuzz --replay {path}", flush=True)


def _replay(parser: argparse.ArgumentParser, place: Bench, path: Path) -> int:
    try:
        found = failure.replay(place, path)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(found or "nothing is wrong any more")
    return 1 if found else 0


def _guided(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    pool = _pool(parser, chosen.recordings)
    with bench(chosen.limit) as place:
        try:
            return guided.start(pool, place, chosen.out, chosen.atheris)
        except ImportError:
            parser.error("--atheris needs the package: pip install 'bdevcheck[fuzz]'")


def _progress(watched: bool) -> Callable[[Score], None]:
    """Return what shows where the loop is: on one line for a person, else now and then."""
    every = _SHOW_EVERY_S if watched else _SHOW_EVERY_S_UNWATCHED
    shown = time.monotonic()

    def show(score: Score) -> None:
        nonlocal shown
        if time.monotonic() - shown < every:
            return
        shown = time.monotonic()
        line = f"{next(score.lines())}, failures {score.failures.total()}"
        print(
            f"\r\x1b[K{line}" if watched else line,
            end="" if watched else "\n",
            file=sys.stderr,
            flush=True,
        )

    return show


def _clear_line() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
