"""Run one input: load and check it, and see what comes out, or what it costs.

The budget of time is relative: so many times what the recordings cost, by the byte, from which the
input was made, measured in CPU time in the same process. An input that overruns it is tried again,
beside its recordings, before it counts as a hang.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bdevcheck.conformance import Report, check
from bdevcheck.traces import InputError, Trace, load
from fuzz.oracle import Judged
from fuzz.sample import ROOT, Sample
from fuzz.unasked import leaves_unasked

Judge = Callable[[Sequence[Path]], tuple[Trace, Report]]

LIMIT = 300.0
"""How many times longer than its recordings an input may take, by the byte.

Damage makes work: a lost reply leaves a call open, and every order of its effects is followed, up
to the checker's own bound. The dearest of a million records took a third of this.
"""
HEADROOM = 980
"""Frames that an input may use: about those that a command line leaves of Python's 1,000."""
LEAST_SECONDS = 0.005
"""Recordings count as no cheaper than this, so that what is measured is more than noise."""
_AGAIN_S = 0.5

TRACEBACK, HANG = "traceback", "hang"
"""The kinds of trouble."""


class OverrunError(BaseException):
    """Say that the time is up; no `except Exception` may hide it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure that needs no claim: `kind` is TRACEBACK or HANG.

    `key` is the same for failures of one cause: the type of the exception and where it was raised.
    """

    kind: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """What came of an input; `ratio` is the part of its budget that it took, in LIMITs of 1."""

    judged: Judged
    trouble: Trouble | None
    seconds: float
    ratio: float = 0.0


def load_and_check(paths: Sequence[Path]) -> tuple[Trace, Report]:
    """Judge files, as the public functions do."""
    trace = load(paths)
    return trace, check(trace)


@dataclass(slots=True)
class Bench:
    """Where inputs are run: a folder for their files, best in memory, and what samples cost."""

    folder: Path
    judge: Judge = load_and_check
    limit: float = LIMIT
    headroom: int = HEADROOM
    plain: dict[Sample, Run] = field(default_factory=dict)

    def unmutated(self, sample: Sample) -> Run:
        """Run a recording as it is; what came of it is kept for the next time."""
        if sample not in self.plain:
            self.plain[sample] = run(self, sample, None)
        return self.plain[sample]

    def budget(self, made_of: Sequence[Sample], size: int) -> float:
        """Return how many seconds an input of a size may take."""
        return self.limit * max(self._cost(each, size) for each in made_of)

    def _cost(self, sample: Sample, size: int) -> float:
        seconds = max(self.unmutated(sample).seconds, LEAST_SECONDS)
        return seconds * max(1.0, size / sample.size)


def run_within_budget(bench: Bench, sample: Sample, made_of: Sequence[Sample]) -> Run:
    """Run an input made of some recordings, the main one first.

    A hang is an input that overruns its budget, and again one that was measured anew beside it.
    """
    found = run(bench, sample, bench.budget(made_of[:1], sample.size))
    if found.trouble is not None and found.trouble.kind == HANG:
        for each in made_of:
            bench.plain.pop(each, None)
        found = run(bench, sample, bench.budget(made_of, sample.size))
    return found


def run(bench: Bench, sample: Sample, budget: float | None) -> Run:
    """Run an input, for at most `budget` seconds of CPU time where the system can tell them."""
    paths = sample.write(bench.folder)
    begun = time.process_time()
    judged, trouble = Judged(sample, None), None
    try:
        with _time_limit(budget), _headroom(bench.headroom), warnings.catch_warnings():
            warnings.simplefilter("error")
            trace, report = bench.judge(paths)
        whole = len(paths) == 1 if trace.log is None else not trace.log.damage
        judged = Judged(sample, report, whole, leaves_unasked(trace))
    except InputError:
        pass
    except OverrunError:
        text = f"more than {budget:.2f} s for {sample.size} bytes\n{traceback.format_exc()}"
        trouble = Trouble(HANG, HANG, text)
    except (Exception, SystemExit) as error:
        trouble = Trouble(TRACEBACK, _key_of(error), _text_of(error))
    seconds = time.process_time() - begun
    return Run(judged, trouble, seconds, seconds / budget if budget else 0.0)


_LONGEST_TRACEBACK = 12
"""Frames shown of each end: a traceback of a RecursionError has a thousand."""


def _key_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if _is_ours(each.filename)]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.name}"


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(ROOT) and "site-packages" not in filename


def _text_of(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    text = "".join(lines).splitlines()
    if len(text) > 4 * _LONGEST_TRACEBACK:
        half = 2 * _LONGEST_TRACEBACK
        text = [*text[:half], "  ...", *text[-half:]]
    return "\n".join(line[:500] for line in text)


@contextmanager
def _headroom(frames: int) -> Iterator[None]:
    """Leave the same depth of recursion whoever calls, so that a failure is there again.

    But for a few: what C code on the stack takes of it, Python does not tell.
    """
    before, depth = sys.getrecursionlimit(), 0
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raise OverrunError after so much CPU time; in the main thread of a POSIX system only."""
    here = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    if seconds is None or not here:
        yield
        return
    before = signal.signal(signal.SIGPROF, _overrun)
    # Again and again: an exception that is raised inside a destructor is lost.
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _overrun(_number: int, _frame: FrameType | None) -> None:
    raise OverrunError
