"""Judge whether the clocks of a recording ran together."""

from dataclasses import dataclass, field

from bdevcheck.traces.record import ClockReport, Damage, Place, Stamp

STEP_NS = 1_000_000
DRIFT_PER_MILLE = 1
"""NTP slews a clock by at most 0.5 ‰; a step within a millisecond changes no order that counts."""


@dataclass(slots=True)
class ClockJudge:
    """Compares neighbours by seq: the monotonic clock rises, the wall clock follows it.

    The wall clock may differ from the monotonic one by STEP_NS and DRIFT_PER_MILLE of the time
    between two neighbours. The report names the first fault. No fault loses anything, as the order
    is that of seq.
    """

    report: ClockReport = field(default_factory=lambda: ClockReport(steady=True))
    _last_wall: int | None = None
    _last_mono: int | None = None

    def take(self, at: Stamp) -> Damage | None:
        """Return the fault between the last time and this one, if there is one."""
        wall, mono = at.wall_ns, at.mono_ns
        last_wall, last_mono = self._last_wall, self._last_mono
        if wall is None or mono is None:
            return self._fault(at.place, "a record without a time", "no time")
        self._last_wall, self._last_mono = wall, mono
        if last_wall is None or last_mono is None:
            return None
        elapsed = mono - last_mono
        step = wall - last_wall - elapsed
        if elapsed < 0:
            return self._fault(at.place, "the monotonic clock runs back", f"{-elapsed} ns back")
        if not -STEP_NS <= step <= STEP_NS and abs(step) > _allowed(elapsed):
            found = f"{step:+} ns against the monotonic clock"
            return self._fault(at.place, "the wall clock was set", found)
        return None

    def _fault(self, place: Place, reason: str, found: str) -> Damage:
        if self.report.steady:
            self.report = ClockReport(steady=False, place=place, reason=reason)
        return _clock_damage(place, reason, found)


def _allowed(elapsed: int) -> int:
    return STEP_NS + elapsed * DRIFT_PER_MILLE // 1000


def _clock_damage(place: Place, reason: str, found: str) -> Damage:
    allowed = "wall and monotonic times that run together"
    return Damage(place, reason, found, allowed, loses=False)
