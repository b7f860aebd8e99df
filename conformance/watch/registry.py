"""The registry: which bdevs are registered, as a log that shows it tells.

A name that is not in it may be registered all the same where the log has begun late or misses
lines; a name that is in it was registered by the line that it stands with.
"""

from __future__ import annotations

from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.traces.record import FactKind, LogLine


class Registry:
    """The bdevs that are registered; memory is bounded by them.

    `lines` has the line by which each was registered, `leaving` the line by which those that are
    being unregistered have begun to leave: their names are still taken (LIFECYCLE 1.5).
    """

    def __init__(self) -> None:
        self.lines: dict[str, LogLine] = {}
        self.leaving: dict[str, LogLine] = {}

    def printed(self, line: LogLine) -> None:
        """Follow one line."""
        fact = line.fact
        if fact is None:
            return
        if fact.kind is FactKind.REGISTERED:
            self.lines[fact.name] = line
            self.leaving.pop(fact.name, None)
        elif fact.kind is FactKind.UNREGISTERING:
            if fact.name in self.lines:
                self.leaving.setdefault(fact.name, line)
        elif fact.kind is FactKind.UNLISTED:
            self.lines.pop(fact.name, None)
            self.leaving.pop(fact.name, None)

    def stands(self, name: str) -> bool:
        """Tell whether a bdev is registered, and is not on its way out."""
        return name in self.lines and name not in self.leaving

    def forget(self) -> None:
        """Forget all: the target may have ended, or records are missing."""
        self.lines.clear()
        self.leaving.clear()


def covers_lines(setting: Setting, start_ns: int | None, end_ns: int | None) -> bool:
    """Tell whether the log has all lines between two times of its own: no tolerance is needed."""
    if start_ns is None or end_ns is None:
        return False
    margin = setting.tolerance_ns
    return setting.covers(start_ns + margin, end_ns - margin)


def end_of_log(setting: Setting) -> int | None:
    """Return the last time up to which the log shows every registration, or None.

    It is on the wire's clock: the log goes on beyond it by the tolerance.
    """
    return setting.covered[-1][1] - setting.tolerance_ns if setting.covered else None
