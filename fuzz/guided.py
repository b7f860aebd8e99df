"""Let coverage guide the choice of mutations: libFuzzer, by the package `atheris`.

libFuzzer keeps the inputs that reach code which no input reached before, and mutates those further,
with the mutations of this package besides its own. An input is a wire and a log in one text. Only
tracebacks are looked for: what an input was made of is not known here, so that nothing is claimed.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType
from typing import Any

from fuzz import failure
from fuzz.case import Case, Inputs, Pool
from fuzz.finding import Finding, fewer_lines
from fuzz.mutation import WILD
from fuzz.oracle import Claim
from fuzz.runner import Bench, Trouble, run
from fuzz.sample import Sample

SEPARATOR = b"\n=== log ===\n"
LARGEST_SEED = 40_000
"""Bytes; of larger recordings too few a second can be judged with every branch counted."""
_OWN_SHARE = 0.7

_PACKAGES = ("bdevcheck.traces", "bdevcheck.conformance")


def start(pool: Pool, bench: Bench, out: Path, options: Sequence[str]) -> int:
    """Run libFuzzer with its own options; return its exit code, 1 for a finding, kept in `out`.

    Raises ImportError without atheris.
    """
    atheris = importlib.import_module("atheris")
    small = [sample for sample in pool.samples if sample.size <= LARGEST_SEED]
    seeds = bench.folder / "seeds"
    seeds.mkdir()
    for number, sample in enumerate(small):
        (seeds / f"seed{number}").write_bytes(packed(sample))
    child = os.fork()  # libFuzzer ends its process, and what was made here has to be cleared away
    if child == 0:
        arguments = [sys.argv[0], str(seeds), f"-max_len={2 * LARGEST_SEED}", *options]
        _run(atheris, arguments, target_of(bench, out, os._exit), small)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(
    atheris: Any,
    arguments: list[str],
    target: Callable[[bytes], None],
    small: Sequence[Sample],
) -> None:
    for function in _functions():
        atheris.instrument_func(function)

    def default(data: bytes, max_size: int) -> bytes:
        return bytes(atheris.Mutate(data, max_size))  # another function once libFuzzer runs

    atheris.Setup(arguments, target, custom_mutator=mutator_of(small, default))
    atheris.Fuzz()


def packed(sample: Sample) -> bytes:
    """Return wire and log as one text."""
    return sample.wire + (b"" if sample.log is None else SEPARATOR + sample.log)


def unpacked(data: bytes) -> Sample:
    """Return the sample that a text holds: any text holds one."""
    wire, separator, log = data.partition(SEPARATOR)
    return Sample("guided", wire, log if separator else None)


def target_of(bench: Bench, out: Path, leave: Callable[[int], object]) -> Callable[[bytes], None]:
    """Return what libFuzzer calls with each input; `leave` ends the process at a finding."""

    def target(data: bytes) -> None:
        sample = unpacked(data)
        trouble = run(bench, sample, None).trouble
        if trouble is not None:
            path = failure.write(_finding(bench, sample, trouble), out)
            print(f"{trouble.key}\n{trouble.text}\n  python -m fuzz --replay {path}", flush=True)
            leave(1)

    return target


def _finding(bench: Bench, sample: Sample, trouble: Trouble) -> Finding:
    inputs = Inputs(sample, sample, Claim.NOTHING, 0)
    found = Finding(Case(sample, sample, ()), inputs, trouble.kind, trouble.key, trouble.text)
    return fewer_lines(bench, found)


def mutator_of(
    pieces: Sequence[Sample], default: Callable[[bytes, int], bytes]
) -> Callable[[bytes, int, int], bytes]:
    """Return how libFuzzer changes an input: by a mutation of ours, or by its own."""
    names = list(WILD)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if pieces and random.random() < _OWN_SHARE:
            made = WILD[random.choice(names)](unpacked(data), random, random.choice(pieces))
            if made is not None:
                return packed(made)[:max_size]
        return default(data, max_size)

    return mutate


def _functions() -> Iterator[FunctionType]:
    """Yield every function and method of the readers and the checker."""
    for name in sorted(sys.modules):
        if name.startswith(_PACKAGES):
            yield from _functions_in(sys.modules[name])


def _functions_in(module: ModuleType) -> Iterator[FunctionType]:
    for held in vars(module).values():
        own = vars(held).values() if isinstance(held, type) else [held]
        for each in list(own):
            if isinstance(each, FunctionType) and each.__module__ == module.__name__:
                yield each
