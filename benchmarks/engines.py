"""Compare engines: `python -m benchmarks.engines [--sizes SIZE ...] [--limit SECONDS]`.

The same exported systems in our two engines, SPIN and TLC, each in a process of its own, one after
the other. `seconds` are those of the search; `end to end` adds what comes before: starting Python
and making tables, translating and compiling for SPIN, starting Java and parsing for TLC.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.export.process import ToolError, ToolTimeoutError, run
from bdevcheck.model.export.result import Result
from bdevcheck.model.export.spin import SpinOptions, run_spin
from bdevcheck.model.export.tlc import TlcOptions, run_tlc
from bdevcheck.model.packed.budget import budget_of
from bdevcheck.model.packed.search import prepare
from bdevcheck.model.packed.search import run as search
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS
from benchmarks.measure import rate, ratio, show

COLUMNS = (
    "engine", "states", "steps", "seconds", "states/s", "steps/s", "end to end", "MiB",
    "speed ÷ SPIN", "speed ÷ TLC", "end to end ÷ packed",
)  # fmt: skip

SIZES = {
    "small": "issue-3413",
    "medium": "most-general",
    "large": "most-general-deferred-3-bases-3-connections",
}
_BUILDERS = {**SYSTEMS, **LARGE_SYSTEMS}
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Measured:
    """What one engine did: counts, seconds of the search and of all, most memory in bytes.

    `whole` is False of a search that was ended before it was done.
    """

    engine: str
    states: int
    steps: int
    seconds: float
    end_to_end: float
    peak: int
    whole: bool = True

    @property
    def speed(self) -> float:
        """Return the steps a second."""
        return self.steps / self.seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--variant", choices=list(VARIANTS), default="modern")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument(
        "--limit", type=float, default=600, help="seconds for one engine (default: %(default)s)"
    )
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "SYSTEM"), help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        engine, name = chosen.child
        print(json.dumps(_searched(engine, _BUILDERS[name](VARIANTS[chosen.variant]))))
        return
    for size in chosen.sizes:
        results, notes = [], []
        for engine in chosen.engines:
            try:
                results.append(ENGINES[engine](SIZES[size], chosen.variant, chosen.limit))
            except ToolError as error:
                notes.append(f"{engine}: {str(error).splitlines()[0]}")
        _require_the_same(results)
        python = f"{platform.python_implementation()} {platform.python_version()}"
        title = f"{size}: {SIZES[size]} {chosen.variant}, {python}, {os.cpu_count()} CPUs, one run"
        show(title, COLUMNS, [_row(each, results) for each in results])
        print("\n".join(notes))


def _require_the_same(results: Sequence[Measured]) -> None:
    """Refuse to compare the speed of engines that did different work."""
    counts = {(each.states, each.steps) for each in results if each.whole}
    if len(counts) > 1:
        found = "; ".join(f"{r.engine} {r.states:,} states {r.steps:,} steps" for r in results)
        raise SystemExit(f"the engines disagree: {found}")


def _row(result: Measured, results: Sequence[Measured]) -> list[str]:
    by_name = {each.engine: each for each in results}

    def faster(other: str) -> str:
        return ratio(result.speed, by_name[other].speed) if other in by_name else "-"

    packed = by_name.get("packed")
    return [
        result.engine if result.whole else f"{result.engine} (ended)",
        f"{result.states:,}",
        f"{result.steps:,}",
        f"{result.seconds:.3f}",
        rate(result.states, result.seconds),
        rate(result.steps, result.seconds),
        f"{result.end_to_end:.2f}",
        f"{result.peak / (1 << 20):,.0f}",
        faster("spin"),
        faster("tlc"),
        ratio(result.end_to_end, packed.end_to_end) if packed and result.whole else "-",
    ]


def _ours(engine: str) -> Callable[[str, str, float], Measured]:
    def measured(name: str, variant: str, limit: float) -> Measured:
        child = ["--variant", variant, "--child", engine, name]
        done = run([sys.executable, "-m", "benchmarks.engines", *child], _ROOT, limit)
        if done.code != 0:
            raise ToolError(f"{engine} engine: {done.text}")
        states, steps, seconds = json.loads(done.text)
        return Measured(engine, states, steps, seconds, done.seconds, done.peak_bytes)

    return measured


def _searched(engine: str, system: System) -> tuple[int, int, float]:
    """Return states, steps, and the seconds of the search alone."""
    if engine == "graph":
        begun = time.perf_counter()
        graph = explore(system)
        return len(graph.states), len(graph.edges), time.perf_counter() - begun
    kernel = prepare(system)
    budget = budget_of(kernel)
    begun = time.perf_counter()
    found = search(kernel, budget)
    return found.states, found.steps, time.perf_counter() - begun


def _spin(name: str, variant: str, limit: float) -> Measured:
    # Two slots of the hash table for each state: what one sets who has run the model before.
    states, *_ = _searched("packed", _BUILDERS[name](VARIANTS[variant]))
    bits = max(18, (2 * states - 1).bit_length())
    options = SpinOptions(hash_bits=bits, memory_mb=16384, timeout_s=limit)
    system = _BUILDERS[name](VARIANTS[variant])
    return _theirs("spin", run_spin(system, properties=False, options=options))


def _tlc(name: str, variant: str, limit: float) -> Measured:
    options = TlcOptions(workers=os.cpu_count() or 1, memory_mb=12288, timeout_s=limit)
    system = _BUILDERS[name](VARIANTS[variant])
    try:
        return _theirs("tlc", run_tlc(system, properties=False, options=options))
    except ToolTimeoutError as error:
        return _so_far(error)


_PROGRESS = re.compile(r"Progress.*: ([\d,]+) states generated .*, ([\d,]+) distinct states found")
_BEGINS = "Computing initial states"


def _so_far(error: ToolTimeoutError) -> Measured:
    """Return what TLC had done when it was ended: its speed counts, not its counts."""
    begun = next((when for when, line in error.lines if line.startswith(_BEGINS)), 0.0)
    for when, line in reversed(error.lines):
        found = _PROGRESS.search(line)
        if found:
            steps, states = (int(group.replace(",", "")) for group in found.groups())
            return Measured("tlc", states, steps, when - begun, when, 0, whole=False)
    raise error


def _theirs(engine: str, outcome: Result) -> Measured:
    cost = outcome.cost
    whole = cost.translate + cost.compile + cost.search
    return Measured(engine, outcome.states, outcome.steps, cost.search, whole, cost.peak_bytes)


def _graph(name: str, variant: str, limit: float) -> Measured:
    if name in LARGE_SYSTEMS:
        raise ToolError("a networkx graph of so many states does not fit")
    return _ours("graph")(name, variant, limit)


ENGINES: dict[str, Callable[[str, str, float], Measured]] = {
    "graph": _graph,
    "packed": _ours("packed"),
    "spin": _spin,
    "tlc": _tlc,
}


if __name__ == "__main__":
    main()
