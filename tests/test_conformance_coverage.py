"""Coverage: when a missing line of the log proves something."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.coverage import Span, coverage_of
from bdevcheck.traces import Trace
from tests.builder import START, Script, log_of, wire_of

ZERO = int(START.timestamp()) * 10**9
BOOT = -1000.0


def _covered(script: Script) -> list[tuple[float, float]]:
    """Return what is covered, in ms after START."""
    return [((a - ZERO) / 1e6, (b - ZERO) / 1e6) for a, b in _spans(script.trace())]


def _spans(trace: Trace) -> Sequence[Span]:
    return coverage_of(log_of(trace), pair(wire_of(trace).records).calls)


def test_log_with_one_line_of_the_flag_covers_from_its_first_line_to_its_last() -> None:
    script = Script().tick(50).line(100, "app.c: 1:main: *NOTICE*: bye")
    assert _covered(script.request(0, "x")) == [(BOOT, 100.0)]


def test_log_without_a_line_of_the_flag_covers_nothing() -> None:
    script = Script().line(100, "app.c: 1:main: *NOTICE*: bye").request(0, "x")
    assert _covered(script) == []


def test_debug_line_of_another_file_is_no_proof() -> None:
    script = Script().line(100, "bdev_raid.c: 1:f: *DEBUG*: x").request(0, "x")
    assert _covered(script) == []


def test_notice_line_of_bdev_c_is_no_proof() -> None:
    text = "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: x"
    assert _covered(Script().line(100, text).request(0, "x")) == []


def test_no_log_covers_nothing() -> None:
    assert coverage_of(None, ()) == ()


def test_time_between_two_changes_is_covered_if_some_line_stands_in_it() -> None:
    script = Script().tick(5).request(10, "log_clear_flag", flag="bdev").reply(12)
    script.request(30, "log_set_flag", flag="bdev").reply(32).tick(40)
    assert _covered(script) == [(BOOT, 10.0), (32.0, 40.0)]
    assert _covered(script.tick(20)) == [(BOOT, 10.0), (12.0, 30.0), (32.0, 40.0)]


def test_change_without_a_reply_never_ends() -> None:
    script = Script().tick(5).request(10, "log_clear_flag", flag="bdev").tick(50)
    assert _covered(script) == [(BOOT, 10.0)]


def test_change_that_was_refused_changes_nothing() -> None:
    script = Script().tick(5).request(10, "log_clear_flag", flag="?").error(12, -32602).tick(50)
    assert _covered(script) == [(BOOT, 50.0)]


def test_every_method_that_touches_logging_is_a_change() -> None:
    for method in ("log_set_flag", "log_set_print_level", "log_enable_timestamps"):
        script = Script().tick(5).request(10, method).reply(12).tick(50)
        assert _covered(script) == [(BOOT, 10.0), (12.0, 50.0)]


def test_unreadable_line_uncovers_its_own_moment() -> None:
    script = Script().tick(5).line(20, "bdev.c:1:bdev_register: *DEBUG*: Inserting bdev x in")
    assert _covered(script.tick(50).request(0, "x")) == [(BOOT, 20.0), (20.0, 50.0)]


def test_line_without_a_time_uncovers_the_time_between_its_neighbours() -> None:
    script = Script().tick(5).tick(50).request(0, "x")
    lines = script.log_text().splitlines(keepends=True)
    hurt = "".join([*lines[:2], "something\n", *lines[2:]])
    script.log_text = lambda: hurt  # type: ignore[method-assign]
    assert _covered(script) == [(BOOT, 5.0)]


@given(
    st.lists(st.integers(1, 99), max_size=6),
    st.lists(st.tuples(st.integers(1, 90), st.integers(1, 9)), max_size=3),
)
def test_covered_time_is_proven_and_free_of_changes(
    ticks: list[int], changes: list[tuple[int, int]]
) -> None:
    script = Script().line(100, "app.c: 1:main: *NOTICE*: bye").request(0, "x")
    for tick in ticks:
        script.tick(tick)
    for number, (start, length) in enumerate(changes):
        script.request(start, "log_set_flag", id=100 + number).reply(start + length)
    spans = _covered(script)
    assert spans == sorted(spans)
    for low, high in spans:
        assert BOOT <= low < high <= 100
        assert any(low <= tick <= high for tick in ticks)
        assert not any(low < start + length and start < high for start, length in changes)
    for tick in ticks:
        hidden = any(start <= tick <= start + length for start, length in changes)
        assert hidden or any(low <= tick <= high for low, high in spans)
