"""Judge whether the clocks of a recording ran together."""

from collections.abc import Iterable

from bdevcheck.traces.record import ClockReport, Damage, Place, Stamp

STEP_NS = 1_000_000
DRIFT_PER_MILLE = 1
"""NTP slews a clock by at most 0.5 ‰; a step within a millisecond changes no order that counts."""


def judge_clock(stamps: Iterable[Stamp]) -> tuple[ClockReport, list[Damage]]:
    """Compare neighbours by seq: the monotonic clock rises, the wall clock follows it.

    The wall clock may differ from the monotonic one by STEP_NS and DRIFT_PER_MILLE of the time
    between two neighbours. The report names the first fault; the damage names every fault, and
    loses nothing, as the order is that of seq.
    """
    damage: list[Damage] = []
    last_wall: int | None = None
    last_mono: int | None = None
    for stamp in stamps:
        wall, mono = stamp.wall_ns, stamp.mono_ns
        if wall is None or mono is None:
            damage.append(_clock_damage(stamp.place, "a record without a time", "no time"))
            continue
        if last_wall is not None and last_mono is not None:
            elapsed = mono - last_mono
            step = wall - last_wall - elapsed
            if elapsed < 0:
                found = f"{-elapsed} ns back"
                damage.append(_clock_damage(stamp.place, "the monotonic clock runs back", found))
            elif abs(step) > STEP_NS + elapsed * DRIFT_PER_MILLE // 1000:
                found = f"{step:+} ns against the monotonic clock"
                damage.append(_clock_damage(stamp.place, "the wall clock was set", found))
        last_wall, last_mono = wall, mono
    return _report(damage), damage


def _report(damage: list[Damage]) -> ClockReport:
    if not damage:
        return ClockReport(steady=True)
    return ClockReport(steady=False, place=damage[0].place, reason=damage[0].reason)


def _clock_damage(place: Place, reason: str, found: str) -> Damage:
    allowed = "wall and monotonic times that run together"
    return Damage(place, reason, found, allowed, loses=False)
