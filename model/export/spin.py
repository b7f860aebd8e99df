"""SPIN: check the exported Promela model, and read what it found.

Compiled as those do who want it fast: no partial-order reduction (the counts are to be of the whole
state space), no claims and no liveness where they are not asked for, no byte-masking of the state
(`unsigned` fields leave little to mask), a hash table as large as the state space. Not used:
``-DBITSTATE`` and ``-DHC``, which may miss states, and ``-DCOLLAPSE``, which doubles the time of
such short state vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bdevcheck.model.compose import System
from bdevcheck.model.export import promela
from bdevcheck.model.export.process import Run, ToolError, require, run
from bdevcheck.model.export.result import Cost, Result
from bdevcheck.model.property import Form, Property

_MODEL = "model.pml"
_WHOLE = ("-DNOREDUCE", "-DNOBOUNDCHECK", "-w")
_SAFETY = ("-DSAFETY", "-DNOCOMP", "-DNOFAIR")
_COUNT_ALL = "-c0"
"""Count errors, which are deadlocks then, instead of stopping at the first one."""
_DEEPEST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SpinOptions:
    """How SPIN is run: bounds of one run, and what an expert would set.

    `hash_bits`: the hash table has 2 to that many slots; best is a little more than the states.
    `depth`: the longest path expected; a search that needs more is done again with ten times more.
    """

    optimise: tuple[str, ...] = ("-O3", "-march=native")
    hash_bits: int = 24
    depth: int = 1_000_000
    memory_mb: int = 8192
    timeout_s: float = 600


def run_spin(
    system: System, *, properties: bool = True, options: SpinOptions = SpinOptions()
) -> Result:
    """Search all states of `system` with SPIN, and decide its properties, each in a further run.

    Raises `ToolMissingError` without `spin` and a C compiler, `ToolError` when a bound is reached,
    and `ExportError` for what Promela cannot say. A pass holds for this system, nothing more.
    """
    spin = require("spin", "on Debian: apt-get install spin")
    cc = require("gcc", "SPIN's checkers are C programs; on Debian: apt-get install gcc")
    with TemporaryDirectory(prefix="bdevcheck-spin-") as name:
        bench = _Bench(system, spin, cc, Path(name), options)
        _write(bench)
        translate = bench.translate()
        compiled = bench.compile("count", *_SAFETY, "-DNOCLAIM")
        counted = bench.search("count", _COUNT_ALL)
        verdicts = tuple(_verdicts(bench)) if properties else None
    cost = Cost(translate.seconds, compiled.seconds, counted.seconds, counted.peak_bytes)
    return _outcome(counted, verdicts, cost)


def _write(bench: _Bench) -> None:
    lines = promela.write(bench.system)
    (bench.folder / _MODEL).write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


@dataclass(frozen=True, slots=True)
class _Bench:
    """A folder with the model, and how to translate, compile and run it there."""

    system: System
    spin: str
    cc: str
    folder: Path
    options: SpinOptions

    def translate(self, *flags: str) -> Run:
        # -o2: else variables that are set and never asked for are no part of a state.
        command = [self.spin, "-a", "-o2", *flags, _MODEL]
        return self._succeed(run(command, self.folder, self._timeout))

    def compile(self, program: str, *flags: str) -> Run:
        sizes = (f"-DMEMLIM={self.options.memory_mb}", f"-DVECTORSZ={self._vector_bytes}")
        command = [self.cc, *self.options.optimise, *_WHOLE, *sizes, *flags, "-o", program, "pan.c"]
        return self._succeed(run(command, self.folder, self._timeout))

    def search(self, program: str, *flags: str) -> Run:
        """Run a compiled checker, again and deeper where a path was longer than it allowed for.

        A search for one error may stop at it; any other that stops early is no result.
        """
        depth = self.options.depth
        while depth <= _DEEPEST:
            limits = ("-n", f"-m{depth}", f"-w{self.options.hash_bits}")
            done = run([f"./{program}", *limits, *flags], self.folder, self._timeout)
            if flags[0] != _COUNT_ALL and _errors(done) > 0:
                return done
            if "Search not completed" in done.text:
                raise ToolError(f"SPIN did not search all of {self.system.name}: {_end_of(done)}")
            if "max search depth too small" not in done.text:
                return done
            depth *= 10
        raise ToolError(f"SPIN needs a depth of more than {_DEEPEST:,}")

    @property
    def _timeout(self) -> float:
        return self.options.timeout_s

    @property
    def _vector_bytes(self) -> int:
        # A field takes at most four bytes, a process eight at most; the rest is SPIN's own.
        processes = promela.processes_of(self.system)
        return max(1024, 4 * len(self.system.components) + 8 * processes + 256)

    def _succeed(self, done: Run) -> Run:
        if done.code != 0 or not (self.folder / "pan.c").exists():
            raise ToolError(f"SPIN's translation of {self.system.name} failed: {_end_of(done)}")
        return done


# --- results -------------------------------------------------------------------------------------

_STORED = re.compile(r"^\s*(\d+) states, stored", re.MULTILINE)
_MATCHED = re.compile(r"^\s*(\d+) states, matched", re.MULTILINE)
_ERRORS = re.compile(r"depth reached (\d+), errors: (\d+)")


def _outcome(counted: Run, verdicts: tuple[bool, ...] | None, cost: Cost) -> Result:
    depth, errors = _numbers(_ERRORS, counted)
    # The sum of both is the number of transitions, which SPIN rounds beyond a hundred million. It
    # counts as one too how the initial state came to be.
    (states,), (matched,) = _numbers(_STORED, counted), _numbers(_MATCHED, counted)
    return Result("SPIN", states, states + matched - 1, depth, errors, verdicts, cost)


def _errors(done: Run) -> int:
    return _numbers(_ERRORS, done)[1]


def _end_of(done: Run) -> str:
    return done.text[-2000:]


def _numbers(pattern: re.Pattern[str], done: Run) -> list[int]:
    found = pattern.search(done.text)
    if found is None:
        raise ToolError(f"SPIN said something unexpected: {_end_of(done)}")
    return [int(group) for group in found.groups()]


def _verdicts(bench: _Bench) -> Iterator[bool]:
    found: dict[str, bool] = {}
    for fair in (False, True):
        claims = _claims(bench.system, fair=fair)
        if claims:
            _compile_claims(bench, fair=fair)
        for name, claim in claims.items():
            flags = ("-N", name, "-a", "-f") if fair else ("-N", name)
            violated = _errors(bench.search("claims", *flags)) > 0
            # What SPIN calls an error of `sometimes` is the example that was looked for.
            found[name] = violated is (claim.form is Form.SOMETIMES)
    return (found[name] for name in promela.claim_names(bench.system))


def _claims(system: System, *, fair: bool) -> dict[str, Property]:
    names = promela.claim_names(system)
    pairs = zip(names, system.properties, strict=True)
    return {name: claim for name, claim in pairs if (claim.form is Form.LEADS_TO) is fair}


def _compile_claims(bench: _Bench, *, fair: bool) -> None:
    if not fair:
        bench.compile("claims", *_SAFETY)
        return
    bench.translate("-DFAIR")
    # SPIN's counters of weak fairness hold four processes each, the claim among them.
    counters = (promela.processes_of(bench.system) + 2) // 4 + 1
    bench.compile("claims", f"-DNFAIR={max(2, counters)}")
